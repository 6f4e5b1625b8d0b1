import { FormData } from 'undici'
import { until } from '../harness/until.ts'
import type { Api } from './api.ts'
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
  const file = await api.ask<{ id: string }>('POST', '/v1/files', { body: form })
  const { id } = await api.ask<Batch>('POST', '/v1/batches', {
    body: { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' },
  })
  const isOver = ({ status }: Batch): boolean => ['completed', 'failed', 'expired'].includes(status)
  const batch = await askUntil(() => api.ask<Batch>('GET', `/v1/batches/${id}`), isOver)
  if (batch.status !== 'completed') throw new Error(`ended as ${batch.status}`)
  expectLines(await api.read(`/v1/files/${batch.output_file_id}/content`), first)
  await api.ask('DELETE', `/v1/files/${file.id}`)
  await api.ask('DELETE', `/v1/files/${batch.output_file_id}`)
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
  const { id } = await api.ask<MessageBatch>('POST', path, { body: { requests } })
  const look = () => api.ask<MessageBatch>('GET', `${path}/${id}`)
  await askUntil(look, batch => batch.processing_status === 'ended')
  const results = await api.read(`${path}/${id}/results`)
  expectLines(results, first)
  if (results.split('"type":"succeeded"').length !== linesPerBatch + 1) throw new Error('lines of it failed')
  await api.ask('DELETE', `${path}/${id}`)
}
