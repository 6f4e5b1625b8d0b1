import { renderTable } from '../../terminal/format.ts'
import type { ApiClient } from '../api-client.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { type SessionOptions, withSession } from '../session.ts'
import { secondsOf } from '../time-option.ts'

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
