import { isTerminal } from '../../domain/job.ts'
import type { JobView } from '../../jobs/view.ts'
import { renderClock, renderTable, renderTime } from '../../terminal/format.ts'
import { ApiRefusal } from '../api-client.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { type ExplanationText, explainText } from '../explain-text.ts'
import { readProviders } from '../operator-client.ts'
import { type SessionOptions, withSession } from '../session.ts'

/** Tells why a job went where it went, and what a live one waits for. */
export const explain = (id: string, options: SessionOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, async ({ api, out, json }) => {
    const job = (await api.ask('GET', `/v1/jobs/${encodeURIComponent(id)}`)) as JobView
    const providers = isTerminal(job.status) ? [] : await readProviders(api).catch(unlessDenied)
    const provider = providers.find(({ name }) => name === job.provider) ?? null
    const explanation = explainText(job, provider, api.nowMs())
    out(json ? renderJson({ id: job.id, status: job.status, ...explanation }) : describe(job, explanation))
    return 0
  })

/**
 * A key that may read the job may not be allowed to look at providers: the rest is explained all the same.
 */
const unlessDenied = (error: unknown): [] => {
  if (error instanceof ApiRefusal && error.status === 403) return []
  throw error
}

const describe = (job: JobView, { steps, waits }: ExplanationText): string =>
  [
    `${job.id}: ${job.status}`,
    renderTable([
      ['', `${renderTime(job.created_at).slice(0, 10)}, times in UTC`],
      ...steps.map(({ at, text }) => [`  ${renderClock(at)}`, text]),
      ...(waits === null ? [] : [['  now', waits]]),
    ]),
  ].join('\n')
