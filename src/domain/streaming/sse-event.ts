/** One server-sent event of an upstream or a log. */
export interface SseEvent {
  /**
   * The event as text in the form it goes out in: its lines end in LF, and a blank line ends it. Without the lines `id` and `retry`,
   * which are about the connection that it came by.
   */
  readonly raw: string
  /** Its name; null where it has none. */
  readonly name: string | null
  /** Its data, lines joined by LF; null for one that is only comments. */
  readonly data: string | null
}

/** The text of an event with this JSON as its data. */
export const eventText = (data: unknown, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`

/** What OpenAI's chat and completions end with. */
export const doneText = 'data: [DONE]\n\n'
