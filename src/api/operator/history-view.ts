import type { HistoryRow } from '../../health/history.ts'
import type { HistoryView } from './views.ts'

type Value = number | string | null

const ofAll = ['accepted', 'ended', 'failed', 'handovers', 'waiting', 'cost_usd'] as const
const ofProvider = ['attempts', 'failures', 'p95_ms', 'waiting', 'state'] as const

const valueIn = (row: HistoryRow, series: string): Value => {
  const whole = ofAll.find(name => name === series)
  if (whole !== undefined) return row[whole] ?? null
  const [, provider = '', figure = ''] = /^provider:(.+):([a-z0-9_]+)$/.exec(series) ?? []
  const at = (ofProvider as readonly string[]).indexOf(figure)
  const own = Object.hasOwn(row.providers, provider) ? row.providers[provider] : undefined
  return own?.[at] ?? null
}

/** A column for each series; every series of every provider where none is named. What is not known is null. */
export const historyView = (rows: readonly HistoryRow[], asked: readonly string[]): HistoryView => {
  const providers = [...new Set(rows.flatMap(row => Object.keys(row.providers)))]
  const every = [
    ...ofAll,
    ...providers.flatMap(name => ofProvider.map(figure => `provider:${name}:${figure}`)),
  ]
  const series = asked.length > 0 ? asked : every
  return {
    at: rows.map(({ at }) => at),
    series: Object.fromEntries(series.map(name => [name, rows.map(row => valueIn(row, name))])),
  }
}
