import { Redis } from 'ioredis'
import type { Child } from '../../../harness/child.ts'
import { until } from '../../../harness/until.ts'
import { createSimProvider } from '../../../src/sim/sim-provider.ts'
import { createWebhookReceiver } from '../../../src/sim/webhook-receiver.ts'
import { field, file, postForm } from '../../api/forms.ts'
import { type Answer, call, chat, type Json } from '../../api/test-api.ts'
import { openBaton } from '../../support/open-baton.ts'
import { testRedis } from '../../support/redis.ts'
import { type Known, promptMark, unusedProvider } from './samples.ts'

const apiKey = 'MARK-KEY-right-91'
const webhookSecret = `whsec_${Buffer.from('MARK-SECRET'.repeat(3)).toString('base64')}`

/** None of these may be in a log. The second is what a wrong key begins with. */
export const marks = [apiKey, 'MARK-KEY-wrong', webhookSecret, promptMark]

/** Baton as `npm start` runs it, in a process of its own, with all it needs around it. */
export interface FuzzedServer extends AsyncDisposable {
  readonly process: Child
  readonly url: string
  readonly dir: string
  readonly redis: Redis
  readonly prefix: string
  readonly known: Known
  call(method: string, path: string, body?: unknown): Promise<Answer>
}

export const openFuzzedServer = async (): Promise<FuzzedServer> => {
  const [sim, receiver] = [createSimProvider(), createWebhookReceiver({ secret: webhookSecret })]
  await Promise.all([sim.start(), receiver.start()])
  const { url: redisUrl, prefix } = testRedis()
  const upstream = { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k', breaker: { min_calls: 1e9 } }
  const site = await openBaton({
    level: 'processes',
    config: {
      redis: { url: redisUrl, prefix },
      api_keys: [apiKey],
      server: { port: 0, max_body_bytes: 64_000, shutdown_grace: '2s' },
      webhooks: { secret: webhookSecret, allowed_networks: ['127.0.0.0/8'] },
      files: { max_bytes: 100_000, max_upload_bytes: 100_000 },
      batches: { max_file_bytes: 100_000, anthropic_max_bytes: 64_000 },
      providers: {
        first: upstream,
        second: { ...upstream, type: 'anthropic', base_url: sim.url },
        [unusedProvider]: upstream,
      },
      models: { 'gpt-4': { provider: 'first', fallback_to: 'claude' }, claude: { provider: 'second' } },
    },
    env: { LOG_LEVEL: 'debug' },
  })
  const process = site.run()
  const { url } = (await process.logged('api listening')) as unknown as { url: string }
  await process.logged('started')
  const redis = new Redis(redisUrl)
  const headers = { authorization: `Bearer ${apiKey}` }
  const callApi = (method: string, path: string, body?: unknown): Promise<Answer> =>
    call({ url }, method, path, { headers, ...(body !== undefined && { body }) })
  const known = { apiKey, webhookUrl: receiver.url, ...(await makeSome(url, callApi, headers)) }

  return {
    process,
    url,
    dir: site.dir,
    redis,
    prefix,
    known,
    call: callApi,
    [Symbol.asyncDispose]: async () => {
      redis.disconnect()
      await site.close()
      await Promise.all([sim.stop(), receiver.stop()])
    },
  }
}

/** One of each thing that requests can name, at its end where it has one. */
const makeSome = async (
  url: string,
  callApi: FuzzedServer['call'],
  headers: Record<string, string>,
): Promise<Omit<Known, 'apiKey' | 'webhookUrl'>> => {
  const made = async (path: string, body: unknown): Promise<Json> => {
    const { status, json, text } = await callApi('POST', path, body)
    if (status >= 300) throw new Error(`${path}: ${text}`)
    return json.id
  }
  const ended = (path: string, isEnd: (json: Json) => boolean): Promise<Json> =>
    until(async () => isEnd((await callApi('GET', path)).json))
  const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: chat(promptMark) }
  const form = [field('purpose', 'batch'), file(`${JSON.stringify(line)}\n`)]
  const { json } = await postForm({ url }, '/v1/files', form, { headers })
  const job = await made('/v1/jobs', { body: chat(promptMark) })
  const batch = await made('/v1/batches', {
    input_file_id: json.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  })
  const params = { model: 'claude', max_tokens: 9, messages: [{ role: 'user', content: promptMark }] }
  const messageBatch = await made('/v1/messages/batches', { requests: [{ custom_id: 'a', params }] })
  const upload = await made('/v1/uploads', { filename: 'a', bytes: 3, purpose: 'user_data' })
  await ended(`/v1/jobs/${job}`, ({ status }) => status === 'succeeded')
  await ended(`/v1/batches/${batch}`, ({ status }) => status === 'completed')
  await ended(`/v1/messages/batches/${messageBatch}`, one => one.processing_status === 'ended')
  return {
    jobs: [job],
    files: [json.id],
    uploads: [upload],
    batches: [batch],
    messageBatches: [messageBatch],
  }
}
