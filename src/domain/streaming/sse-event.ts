/** One server-sent event of an upstream or a log. */
export interface SseEvent {
  /** The event as text in the form it goes out in: its lines end in LF, and a blank line ends it. */
  readonly raw: string
  /** Its name; null where it has none. */
  readonly name: string | null
  /** Its data, lines joined by LF; null for one that is only comments, ids or a retry delay. */
  readonly data: string | null
}
