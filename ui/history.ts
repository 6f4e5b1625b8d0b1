import { useMemo, useState } from 'preact/hooks'
import type { HistoryView } from '../src/api/operator/views.ts'
import { useReading } from './reading.ts'
import { serverMinute } from './store.ts'
import { withQuery } from './with-query.ts'

/** A row is written each minute. */
const refreshMs = 60_000
/** What one request may name. */
const mostCharacters = 4_000

export interface History {
  readonly from: number
  readonly at: readonly number[]
  /** Of a series with numbers; empty before it was read. */
  readonly numbers: (name: string) => readonly (number | null)[]
  readonly words: (name: string) => readonly (string | null)[]
}

/** Figures of the last so many seconds, a row a minute; null until they are read. */
export const useHistory = (names: readonly string[], seconds: number): History | null => {
  // The begin stays where it is while the page is open: what has passed out of the window is left out below.
  const [begin] = useState(() => serverMinute.peek() - seconds)
  const series = names.join()
  const path =
    series === '' || series.length > mostCharacters
      ? null
      : withQuery('/v1/admin/history', { series, from: String(begin) })
  const { view } = useReading<HistoryView>(path, refreshMs)
  const from = serverMinute.value + 60 - seconds
  return useMemo(() => (view === null ? null : historyOf(view, from)), [view, from])
}

const historyOf = (view: HistoryView, from: number): History => {
  const first = view.at.findIndex(time => time >= from)
  const columnOf = (name: string): readonly (number | string | null)[] =>
    (view.series[name] ?? []).slice(Math.max(0, first))
  return {
    ...{ from, at: first < 0 ? [] : view.at.slice(first) },
    numbers: name => columnOf(name).map(value => (typeof value === 'number' ? value : null)),
    words: name => columnOf(name).map(value => (typeof value === 'string' ? value : null)),
  }
}
