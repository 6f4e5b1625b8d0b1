import { sayLastError } from '../../domain/job-failure.ts'
import type { JobView } from '../../jobs/view.ts'
import { JsonText } from '../../json/json-text.ts'
import { memberText } from '../../json/members.ts'
import { renderTable, renderTime } from '../../terminal/format.ts'
import { type Paint, paintStatus } from '../../terminal/paint.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { metadataOf } from '../metadata-option.ts'
import { type SessionOptions, withSession } from '../session.ts'
import { secondsOrAgo } from '../time-option.ts'
import { type WatchOptions, watching } from '../watching.ts'

export interface ListJobsOptions extends SessionOptions, WatchOptions {
  readonly limit: string
  readonly status?: string
  readonly batch?: string
  readonly route?: string
  readonly provider?: string
  readonly code?: string
  /** Each `key=value`. */
  readonly metadata?: readonly string[]
  readonly since?: string
  readonly until?: string
}

const queryOf = (options: ListJobsOptions, nowMs: number): URLSearchParams => {
  const { limit, status, batch, route, provider, code, metadata = [], since, until } = options
  const filters = { status, batch_id: batch, route, provider, error_code: code }
  const query = new URLSearchParams({ limit })
  for (const [name, value] of Object.entries(filters)) if (value !== undefined) query.set(name, value)
  if (since !== undefined) query.set('created_from', secondsOrAgo('--since', since, nowMs))
  if (until !== undefined) query.set('created_to', secondsOrAgo('--until', until, nowMs))
  for (const [key, value] of Object.entries(metadataOf(metadata))) query.set(`metadata.${key}`, value)
  return query
}

/** The newest jobs that the filters want. */
export const listJobs = (options: ListJobsOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, session =>
    watching(session, options, async () => {
      const { api, json, paint } = session
      const { data } = (await api.ask('GET', `/v1/jobs?${queryOf(options, api.nowMs())}`)) as {
        data: JobView[]
      }
      if (json) return renderJson(data)
      if (data.length === 0) return 'There are no such jobs.'
      const heads = ['JOB', 'STATUS', 'MODEL', 'PROVIDER', 'CALLS', 'CREATED']
      return renderTable([heads, ...data.map(job => row(job, paint))])
    }),
  )

/** Shows a job, or does something to it and shows what it then is. A retry is a new job. */
export const actOnJob = (
  action: 'show' | 'cancel' | 'retry',
  id: string,
  options: SessionOptions,
  terminal: CommandIo,
): Promise<number> =>
  withSession(terminal, options, async ({ api, out, json, paint, suggest }) => {
    const path = `/v1/jobs/${encodeURIComponent(id)}`
    const asked = action === 'show' ? api.askText('GET', path) : api.askText('POST', `${path}/${action}`)
    const text = await asked
    const job = JSON.parse(text) as JobView
    out(
      json
        ? renderJson(withAnswerAsText(job, text))
        : `${describe(job, paint)}\n  why: ${suggest(`explain ${job.id}`)}`,
    )
    return 0
  })

/** The answer as the provider wrote it: read and written again its large numbers would be others. */
const withAnswerAsText = (job: JobView, text: string): JobView => {
  if (!job.response) return job
  const response = memberText(text, 'response')
  const body = response && memberText(response.text, 'body')
  return body ? { ...job, response: { ...job.response, body: new JsonText(body.text) } } : job
}

const row = ({ id, status, model, provider, attempts, created_at }: JobView, paint: Paint): string[] => [
  id,
  paintStatus(paint, status),
  model,
  provider,
  String(attempts.length),
  renderTime(created_at),
]

/** Without its answer, which may be long: `--json` has it. */
const describe = (job: JobView, paint: Paint): string => {
  const optionalTime = (seconds: number | null): string | null =>
    seconds === null ? null : renderTime(seconds)
  const rows: [string, string | null][] = [
    ['status', paintStatus(paint, job.status)],
    ['model', `${job.model} (${job.endpoint})`],
    ['provider', `${job.provider}/${job.upstream_model}`],
    ['calls', String(job.attempts.length)],
    ['created', renderTime(job.created_at)],
    ['resumes', optionalTime(job.resumes_at)],
    ['finished', optionalTime(job.finished_at)],
    ['expires', renderTime(job.expires_at)],
    ['last error', job.last_error ? sayLastError(job.last_error) : null],
    ['error', job.error && `${job.error.message} (${job.error.code})`],
    ['tokens', job.usage && `${job.usage.input_tokens} in, ${job.usage.output_tokens} out`],
    ['cost', job.cost_usd === null ? null : `$${job.cost_usd}`],
    ['batch', job.batch_id],
    ['retry of', job.retry_of],
    ['webhook', job.webhook && `${job.webhook.url}: ${job.webhook.status}`],
  ]
  const table = renderTable(rows.flatMap(([label, text]) => (text === null ? [] : [[`  ${label}`, text]])))
  return `${job.id}\n${table}`
}
