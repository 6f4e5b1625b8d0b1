import type { JobEntry } from '../load/ledger.ts'
import { answerTo } from '../plan/load.ts'
import type { Evidence, Violation } from './evidence.ts'

interface Chunk {
  readonly choices?: readonly { readonly delta: { readonly content?: string } }[]
  readonly error?: { readonly code: string }
}

/** What the client of a chat makes of a stream. */
const read = (text: string) => {
  const data = [...text.matchAll(/^data: (.*)$/gm)].map(([, one]) => one!)
  const chunks = data.filter(one => one !== '[DONE]').map(one => JSON.parse(one) as Chunk)
  return {
    content: chunks.map(chunk => chunk.choices?.[0]?.delta.content ?? '').join(''),
    errors: chunks.flatMap(chunk => chunk.error?.code ?? []),
    isDone: data.length > 0 && data.indexOf('[DONE]') === data.length - 1,
  }
}

/** After a fail-over Redis may not have the end of a log any more, and says so. */
const mayLoseLogs = ({ faults }: Evidence): boolean => faults.some(({ kind }) => kind === 'redis-failover')

/** The stream of a job is its answer, or the beginning of that and one error. */
export const judgeStreams = (evidence: Evidence): Violation[] =>
  evidence.ledger.jobs.flatMap(entry => {
    const what = faultOf(entry, evidence)
    return what === null ? [] : [{ rule: 'streams', id: entry.id, marker: entry.order.marker, what }]
  })

const faultOf = ({ id, order, stream }: JobEntry, evidence: Evidence): string | null => {
  const job = id === null ? undefined : evidence.jobs.get(id)
  if (stream === null || job === undefined) return null
  const { content, errors, isDone } = read(stream)
  const answer = answerTo(order.marker)
  const told = `"${content}"${errors.map(code => ` and ${code}`).join('')}`
  if (job.status === 'succeeded') {
    if (content === answer && errors.length === 0 && isDone) return null
    if (!mayLoseLogs(evidence)) return `succeeded, and streamed ${told}`
  }
  if (!answer.startsWith(content)) return `streamed ${told}, which is not how its answer begins`
  if (errors.length > 1) return `streamed ${errors.length} errors`
  return job.error?.code === 'stream_broken' && errors[0] !== 'stream_broken'
    ? `broke off, and streamed ${told}`
    : null
}
