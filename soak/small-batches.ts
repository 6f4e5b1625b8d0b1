import { FormData } from 'undici'
import { type Api, bodyOf, textOf } from '../harness/api.ts'
import { until } from '../harness/until.ts'
import { chatOf, question, routes } from './single-requests.ts'

export const linesPerBatch = 20

const pauseMs = 250
const patienceMs = 60_000

const indices = Array.from({ length: linesPerBatch }, (_, i) => i)

/** Asks until the answer is as wanted. */
const askUntil = <T extends object>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> =>
  until(
    async () => {
      const seen = await look()
      return isSo(seen) ? seen : null
    },
    { timeoutMs: patienceMs, everyMs: pauseMs, what: 'its end' },
  ) as Promise<T>

const expectLines = (text: string, first: number): void => {
  const ids = new Set(
    text.match(/"custom_id":"row-\d+"/g)?.map(found => Number(found.slice('"custom_id":"row-'.length, -1))),
  )
  const isWhole =
    indices.every(i => ids.has(first + i)) && text.trimEnd().split('\n').length === linesPerBatch
  if (!isWhole) throw new Error('its output has not one line for each of its input')
}

interface Batch {
  readonly id: string
  readonly status: string
  readonly output_file_id: string | null
}

/** Uploads a file, runs it, reads its output and removes both: what is kept for good would grow by design. */
export const runBatch = async (api: Api, first: number): Promise<void> => {
  const lines = indices.map(i =>
    JSON.stringify({
      custom_id: `row-${first + i}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: chatOf(first + i),
    }),
  )
  const form = new FormData()
  form.set('purpose', 'batch')
  form.set('file', new Blob([`${lines.join('\n')}\n`]), 'soak.jsonl')
  const file = bodyOf<{ id: string }>(await api.send('/v1/files', { method: 'POST', body: form }))
  const { id } = bodyOf<Batch>(
    await api.send('/v1/batches', {
      method: 'POST',
      body: { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' },
    }),
  )
  const isOver = ({ status }: Batch): boolean => ['completed', 'failed', 'expired'].includes(status)
  const batch = await askUntil(async () => bodyOf<Batch>(await api.send(`/v1/batches/${id}`)), isOver)
  if (batch.status !== 'completed') throw new Error(`ended as ${batch.status}`)
  expectLines(textOf(await api.send(`/v1/files/${batch.output_file_id}/content`)), first)
  textOf(await api.send(`/v1/files/${file.id}`, { method: 'DELETE' }))
  textOf(await api.send(`/v1/files/${batch.output_file_id}`, { method: 'DELETE' }))
}

interface MessageBatch {
  readonly id: string
  readonly processing_status: string
}

/** The same in Anthropic's words. */
export const runMessageBatch = async (api: Api, first: number): Promise<void> => {
  const requests = indices.map(i => ({
    custom_id: `row-${first + i}`,
    params: {
      model: routes[i % routes.length],
      max_tokens: 500,
      messages: [{ role: 'user', content: question(first + i) }],
    },
  }))
  const path = '/v1/messages/batches'
  const { id } = bodyOf<MessageBatch>(await api.send(path, { method: 'POST', body: { requests } }))
  const look = async () => bodyOf<MessageBatch>(await api.send(`${path}/${id}`))
  await askUntil(look, batch => batch.processing_status === 'ended')
  const results = textOf(await api.send(`${path}/${id}/results`))
  expectLines(results, first)
  if (results.split('"type":"succeeded"').length !== linesPerBatch + 1) throw new Error('lines of it failed')
  textOf(await api.send(`${path}/${id}`, { method: 'DELETE' }))
}
