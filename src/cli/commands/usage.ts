import { renderTable } from '../../terminal/format.ts'
import type { ApiClient } from '../api-client.ts'
import { CommandError, type CommandIo, renderJson } from '../command-io.ts'
import { type SessionOptions, withSession } from '../session.ts'

export interface UsageOptions extends SessionOptions {
  readonly from?: string
  readonly to?: string
  readonly by: string
  readonly csv?: boolean
}

/** The part of `GET /v1/usage` that is shown. */
interface Figures {
  readonly requests: number
  readonly failed: number
  readonly input_tokens: number
  readonly cached_tokens: number
  readonly output_tokens: number
  readonly cost_usd: number | null
  readonly unpriced: number
}
interface UsageAnswer {
  readonly total: Figures
  readonly data: readonly (Figures & { readonly day: string; readonly group: string })[]
}

/** What jobs used and cost, by day (of UTC) and group. */
export const showUsage = (options: UsageOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, async ({ api, out, json }) => {
    const usage = await readUsage(api, options)
    if (options.csv) out([csvHead, ...usage.data.map(csvRow)].join('\n'))
    else out(json ? renderJson(usage) : describe(usage, options.by))
    return 0
  })

const readUsage = async (api: ApiClient, { from, to, by }: UsageOptions): Promise<UsageAnswer> => {
  const query = new URLSearchParams({ group_by: by })
  if (from !== undefined) query.set('from', secondsOf('--from', from))
  if (to !== undefined) query.set('to', secondsOf('--to', to))
  return (await api.ask('GET', `/v1/usage?${query}`)) as UsageAnswer
}

/** A day, or a time in ISO 8601, as Unix seconds; of UTC where it names no zone. */
const secondsOf = (option: string, text: string): string => {
  const isZoned = /^\d{4}-\d{2}-\d{2}$|(?:Z|[+-]\d{2}:\d{2})$/.test(text)
  const ms = Date.parse(isZoned ? text : `${text}Z`)
  if (Number.isNaN(ms)) throw new CommandError(`${option} must be a day or a time, as 2025-12-01T12:00Z.`)
  return String(Math.floor(ms / 1_000))
}

const csvHead = 'day,group,requests,failed,input_tokens,cached_tokens,output_tokens,cost_usd,unpriced'

const figures = (f: Figures): string[] => [
  ...[f.requests, f.failed, f.input_tokens, f.cached_tokens, f.output_tokens].map(String),
  f.cost_usd === null ? '' : String(f.cost_usd),
  String(f.unpriced),
]

const csvRow = (row: UsageAnswer['data'][number]): string =>
  [row.day, quoted(row.group), ...figures(row)].join(',')

/** Routes and models may have commas and quotes in their names. */
const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

const describe = ({ total, data }: UsageAnswer, by: string): string => {
  if (data.length === 0) return 'No jobs ended in this time.'
  const heads = [
    'DAY',
    by.toUpperCase(),
    'REQUESTS',
    'FAILED',
    'INPUT',
    'CACHED',
    'OUTPUT',
    'COST $',
    'UNPRICED',
  ]
  return renderTable([
    heads,
    ...data.map(row => [row.day, row.group, ...figures(row)]),
    ['total', '', ...figures(total)],
  ])
}
