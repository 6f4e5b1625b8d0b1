import { clock, full, span } from '../format.ts'
import { serverNow } from '../store.ts'

/** A moment, by the clock; how long ago stands beside it. */
export const Time = ({
  at,
  ago = false,
}: {
  readonly at: number | null | undefined
  readonly ago?: boolean
}) => {
  if (at === null || at === undefined) return <>—</>
  const distance = serverNow() - at
  return (
    <time dateTime={new Date(at * 1_000).toISOString()} title={full(at)}>
      {clock(at)}
      {ago && <span class="muted"> {distance >= 0 ? `${span(distance)} ago` : `in ${span(-distance)}`}</span>}
    </time>
  )
}
