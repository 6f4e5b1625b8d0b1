/** In JavaScript since 2025, and not among the types yet: what it holds is written as it stands. */
declare global {
  interface JSON {
    rawJSON(text: string): unknown
    parse(
      text: string,
      reviver: (name: string, value: unknown, context: { source: string }) => unknown,
    ): unknown
  }
}

/**
 * Parses JSON whose numbers are written again as they were: 2512292042121000001 would become another id otherwise, 1.10 another
 * price. Those are objects that only `JSON.stringify` can read, so that nobody is to calculate with them.
 */
export const parseExactly = (text: string): unknown =>
  JSON.parse(text, (_name, value, { source }) =>
    typeof value === 'number' && JSON.stringify(value) !== source ? JSON.rawJSON(source) : value,
  )
