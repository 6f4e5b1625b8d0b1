/** How bodies can be sent that were compressed before, the better first. */
const encodings = ['br', 'gzip'] as const

export type Encoding = (typeof encodings)[number]

/** The best of those that are there and that a client's `accept-encoding` takes; null to send the body as it is. */
export const acceptedEncoding = (
  header: string | readonly string[] | undefined,
  isThere: (encoding: Encoding) => boolean = () => true,
): Encoding | null => {
  const taken = String(header ?? '')
    .split(',')
    .map(text =>
      text
        .trim()
        .toLowerCase()
        .split(/\s*;\s*q\s*=\s*/),
    )
    .filter(([, weight = '1']) => Number(weight) > 0)
    .map(([name]) => name)
  return encodings.find(encoding => isThere(encoding) && taken.includes(encoding)) ?? null
}
