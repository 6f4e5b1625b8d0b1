import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createKeys, type Keys, newBatchId, newFileId, newJobId, newUploadId } from '../../src/redis/keys.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { type KeyKind, kindOf } from './key-patterns.ts'
import { readDoc, tableAfter, uncode } from './markdown.ts'

const page = readDoc('docs/architecture.md')

const kinds: readonly KeyKind[] = tableAfter(page, '| key | type |').map(([key, type]) => ({
  pattern: uncode(key!),
  type: type!,
}))
const channels = tableAfter(page, '| channel |').map(([channel]) => uncode(channel!))

/** The fields that stand under a heading. */
const fieldsOf = (heading: string): string[] =>
  tableAfter(page.slice(page.indexOf('## Fields of records')), `### ${heading}\n`).map(([field]) =>
    uncode(field!),
  )

describe('the keys of docs/architecture.md', () => {
  const keys = createKeys('p')
  const job = newJobId(3, 0)
  const made: Record<Exclude<keyof Keys, 'prefix'> | 'deadLettersOf', string> = {
    record: keys.record(job),
    payload: keys.payload(job),
    answer: keys.answer(job, 'token'),
    log: keys.log(job, 'token'),
    schedule: keys.schedule(3),
    ready: keys.ready('provider.first'),
    index: keys.index(3),
    list: keys.list(3, 'open'),
    listed: keys.listed(3),
    kinds: keys.kinds(3),
    pairs: keys.pairs(3),
    live: keys.live(3),
    reconciler: keys.reconciler(3),
    usage: keys.usage(3, 495_000),
    idempotency: keys.idempotency(3, 'hash'),
    deadLetters: keys.deadLetters(3, 'jobs'),
    deadLettersOf: keys.deadLetters(3, 'jobs', 'tenant'),
    owed: keys.owed(3),
    batch: keys.batch(newBatchId('openai', 3, 0)),
    notice: keys.notice(`${newBatchId('openai', 3, 0)}-1`),
    finishedLines: keys.finishedLines(newBatchId('openai', 3, 0)),
    openBatches: keys.openBatches(3),
    batchRequest: keys.batchRequest(3, 'fingerprint'),
    batches: keys.batches('openai', 'tenant'),
    openOf: keys.openOf('tenant'),
    batchTenants: keys.batchTenants,
    providers: keys.providers,
    file: keys.file(newFileId(3, 0)),
    segments: keys.segments(newFileId(3, 0)),
    files: keys.files('tenant'),
    held: keys.held('tenant'),
    heldSums: keys.heldSums('tenant'),
    purge: keys.purge(3),
    upload: keys.upload(newUploadId(3, 0)),
    parts: keys.parts(newUploadId(3, 0)),
    session: keys.session('hash'),
    abortChannel: keys.abortChannel,
    streamChannel: keys.streamChannel('process'),
    endsChannel: keys.endsChannel,
    batchesChannel: keys.batchesChannel,
    receiversChannel: keys.receiversChannel,
    reloadChannel: keys.reloadChannel,
    reloadedAt: keys.reloadedAt,
  }

  it.each(Object.entries(made))('have a row for %s', (_, key) => {
    const name = key.slice('p:'.length)
    const isChannel = channels.some(channel => channel.replace('<process>', 'process') === name)
    expect(isChannel || kindOf(name, kinds) !== undefined).toBe(true)
  })
})

describe('what a running Baton writes', () => {
  let sim: SimProvider
  let baton: BatonApi
  let found: Map<string, KeyKind | undefined>

  const post = async (path: string, body: unknown): Promise<{ id: string }> => {
    const form = body instanceof FormData
    const answer = await fetch(`${baton.url}${path}`, {
      method: 'POST',
      headers: form ? {} : { 'content-type': 'application/json', 'idempotency-key': path },
      body: form ? body : JSON.stringify(body),
    })
    expect(answer.ok, await answer.clone().text()).toBe(true)
    return (await answer.json()) as { id: string }
  }
  const chat = (model: string, text: string) => ({ model, messages: [{ role: 'user', content: text }] })
  const statusOf = async (path: string): Promise<string> =>
    ((await (await fetch(`${baton.url}${path}`)).json()) as { status: string }).status

  beforeAll(async () => {
    sim = createSimProvider()
    await sim.start()
    const provider = { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' }
    baton = await openBaton({
      level: 'api',
      webhooks: true,
      batches: true,
      config: {
        providers: { first: provider, second: provider },
        models: {
          cached: { provider: 'first', cache: { ttl: '1h' } },
          mirrored: { provider: 'first', mirror: { to: 'second/x', sample: 1 } },
        },
        webhooks: { allowed_networks: ['127.0.0.0/8'] },
      },
    })
    const endpoint = '/v1/chat/completions'
    const webhook = { url: 'http://127.0.0.1:9/', secret: `whsec_${'A'.repeat(32)}` }
    const jobs = await Promise.all([
      post('/v1/jobs', { endpoint, body: chat('cached', 'short'), webhook, metadata: { a: 'b' } }),
      post('/v1/jobs?', { endpoint, body: chat('cached', 'long'.repeat(50_000)), priority: 'low' }),
      post('/v1/jobs?m', { endpoint, body: chat('mirrored', 'asked twice') }),
    ])
    const form = new FormData()
    const line = { custom_id: 'a', method: 'POST', url: endpoint, body: chat('cached', 'line') }
    form.append('purpose', 'batch')
    form.append('file', new Blob([JSON.stringify(line)]), 'in.jsonl')
    const file = await post('/v1/files', form)
    const batch = await post('/v1/batches', {
      input_file_id: file.id,
      endpoint,
      completion_window: '24h',
      webhook,
    })
    await post('/v1/uploads', {
      purpose: 'batch',
      filename: 'in.jsonl',
      bytes: 5,
      mime_type: 'application/jsonl',
    })
    for (const { id } of jobs) await until(async () => (await statusOf(`/v1/jobs/${id}`)) === 'succeeded')
    await until(async () => (await statusOf(`/v1/batches/${batch.id}`)) === 'completed')

    found = new Map()
    const { redis } = baton.context
    if (!(redis instanceof Redis)) throw new Error('tests run on one Redis')
    for await (const page of redis.scanStream({ match: `${baton.prefix}:*`, count: 1_000 })) {
      for (const key of page as string[]) {
        const name = key.slice(baton.prefix.length + 1)
        // BullMQ's: a queue each.
        if (!/^\{(?:provider\.|webhooks\})/.test(name)) found.set(key, kindOf(name, kinds))
      }
    }
  })
  afterAll(async () => {
    await baton.stop()
    await sim.stop()
  })

  it('are keys of docs/architecture.md, each of its type', async () => {
    expect([...found].filter(([, kind]) => kind === undefined)).toEqual([])
    const types = await Promise.all([...found.keys()].map(key => baton.context.redis.type(key)))
    const wrong = [...found].filter(([, kind], i) => types[i] !== 'none' && types[i] !== kind!.type)
    expect(wrong).toEqual([])
    expect(new Set(found.values()).size).toBeGreaterThan(20)
  })

  const delivery = fieldsOf('Delivery of a webhook')
  const named: Readonly<Record<string, readonly string[]>> = {
    '{<shard>}:j:<job>': [...fieldsOf('Job'), ...delivery],
    '{<shard>}:b:<ulid>': [...fieldsOf('Batch'), ...delivery],
    '{<shard>}:bn:<ulid>-<number>': [...fieldsOf('Notice'), ...delivery],
    '{<shard>}:f:<file>': fieldsOf('File'),
    '{<shard>}:u:<upload>': fieldsOf('Upload'),
  }
  it('are records with fields of docs/architecture.md', async () => {
    const unknown = await Promise.all(
      [...found].map(async ([key, kind]) => {
        const fields = named[kind!.pattern]
        if (fields === undefined) return []
        const names = await baton.context.redis.hkeys(key)
        return names
          .map(name => name.replace(/^by:.*/, 'by:<provider>'))
          .filter(name => !fields.includes(name))
      }),
    )
    expect(unknown.flat()).toEqual([])
  })
})
