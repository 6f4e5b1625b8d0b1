import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI7 from 'openai'
import OpenAI4 from 'openai4'
import OpenAI6 from 'openai6'
import { pino } from 'pino'
import { until } from '../../harness/until.ts'
import { serveApi } from '../../src/api/serve.ts'
import { createLifecycle } from '../../src/lifecycle/lifecycle.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, type BatonApi, type ConfigInput, openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

/** What their users write is the same for all of them; their types have different names. */
export const clients = {
  'openai 7': OpenAI7,
  'openai 6': OpenAI6 as unknown as typeof OpenAI7,
  'openai 4': OpenAI4 as unknown as typeof OpenAI7,
}

export type Batch = OpenAI7.Batch

export interface BatchApi extends AsyncDisposable {
  readonly url: string
  readonly sim: SimProvider
  readonly baton: BatonApi
  /** One more batch worker. */
  feeder(): Promise<void>
  /** One more API, whose clock is behind by so much: windows of its batches end sooner for everybody else. */
  lateApi(behindMs: number): Promise<string>
}

/**
 * The whole of Baton in this process: API, workers, webhooks, and one batch worker where `feeders` does not say
 * otherwise. The keys are `right`, and `other` of another tenant.
 */
export const openBatchApi = async (
  options: { readonly feeders?: number; readonly config?: ConfigInput } = {},
): Promise<BatchApi> => {
  const sim = createSimProvider()
  await sim.start()
  const dir = await mkdtemp(join(tmpdir(), 'baton-blobs-'))
  const provider = (type: string, base_url: string) => ({
    type,
    base_url,
    api_key: 'k',
    breaker: { min_calls: 100_000 },
  })
  const config = {
    providers: { first: provider('openai', `${sim.url}/v1`) },
    models: {
      plain: { provider: 'first', price: { input: 1, output: 2 } },
      'fail-400': { provider: 'first' },
      'fail-400-then-ok': { provider: 'first' },
      hang: { provider: 'first' },
    },
    api_keys: ['right', { key: 'other', tenant: 'theirs' }],
    storage: { path: dir },
    ...options.config,
  }
  const { prefix } = testRedis()
  const baton = await openBaton({ level: 'api', config, prefix, webhooks: true })
  const feeders: Baton[] = []
  const life = createLifecycle(5_000, pino({ level: 'silent' }))
  const feeder = async (): Promise<void> => {
    feeders.push(await openBaton({ level: 'workers', config, prefix, batches: true, workers: [] }))
  }
  for (let i = 0; i < (options.feeders ?? 1); i++) await feeder()
  return {
    url: baton.url,
    sim,
    baton,
    feeder,
    lateApi: behindMs =>
      serveApi(life, { ...baton.context, now: () => Date.now() - behindMs }).then(({ url }) => url),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([baton, life, ...feeders].map(running => running.stop()))
      await sim.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** What a client's user does. */
export const desk = (client: OpenAI7) => {
  const upload = async (lines: string | Uint8Array<ArrayBuffer>): Promise<string> =>
    (await client.files.create({ file: new File([lines], 'in.jsonl'), purpose: 'batch' })).id
  const reached = (id: string, test: (batch: Batch) => boolean): Promise<Batch> =>
    until(async () => {
      const batch = await client.batches.retrieve(id)
      return test(batch) ? batch : null
    })
  const linesOf = async (fileId: string | null | undefined): Promise<OutputLine[]> =>
    fileId ? readLines(await (await client.files.content(fileId)).text()) : []
  return {
    upload,
    submit: async (lines: string, more: Partial<OpenAI7.BatchCreateParams> = {}): Promise<Batch> =>
      client.batches.create({
        input_file_id: await upload(lines),
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
        ...more,
      }),
    reached,
    ended: (id: string): Promise<Batch> =>
      reached(id, ({ status }) => ['completed', 'failed', 'expired', 'cancelled'].includes(status)),
    output: ({ output_file_id }: Batch) => linesOf(output_file_id),
    errors: ({ error_file_id }: Batch) => linesOf(error_file_id),
  }
}

export interface OutputLine {
  readonly id: string
  readonly custom_id: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every endpoint
  readonly response: { status_code: number; request_id: string; body: any } | null
  readonly error: { code: string; message: string } | null
}

export const readLines = (text: string): OutputLine[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as OutputLine)

export const idsOf = (lines: readonly OutputLine[]): string[] => lines.map(line => line.custom_id).sort()
