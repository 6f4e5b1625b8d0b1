import { clock, date, full, span } from '../format.ts'
import { serverMinute, serverNow } from '../store.ts'

/** Beyond that, a time of day alone could be that of another day. */
const farSeconds = 43_200

/** A moment, by the clock, or by its date where that is far; how long ago stands beside it. */
export const Time = ({
  at,
  ago = false,
}: {
  readonly at: number | null | undefined
  readonly ago?: boolean
}) => {
  if (at === null || at === undefined) return <>—</>
  const distance = (ago ? serverNow() : serverMinute.value) - at
  return (
    <time dateTime={new Date(at * 1_000).toISOString()} title={full(at)}>
      {Math.abs(distance) > farSeconds ? date(at) : clock(at)}
      {ago && <span class="muted"> {distance >= 0 ? `${span(distance)} ago` : `in ${span(-distance)}`}</span>}
    </time>
  )
}

/** How long since a moment, second by second. */
export const Age = ({ since }: { readonly since: number | null }) => (
  <>{span(since === null ? null : serverNow() - since)}</>
)
