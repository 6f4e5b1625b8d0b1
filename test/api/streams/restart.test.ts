import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSimProvider, type SimProvider } from '../../../src/sim/sim-provider.ts'
import { type Baton, type BatonApi, openBaton } from '../../support/open-baton.ts'

const breaking = ['stream-error-midway', 'reset-mid-body', 'stream-stall-midway', 'stream-no-finish']
const restart = { 'x-baton-on-stream-failure': 'restart' }
const tokens = 40

/** What a client has that begins anew where it is told to, and how often it was. */
const readOf = (text: string) => {
  const parts = text
    .replace(/^id: .*\n/gm, '')
    .replace(/^:.*\n\n/gm, '')
    .split(/^event: baton\.restart\ndata: .*\n\n/m)
  const contents = parts.map(part => [...part.matchAll(/"content":"([^"]*)"/g)].map(([, c]) => c).join(''))
  return {
    restarts: parts.length - 1,
    void: contents.slice(0, -1),
    content: contents.at(-1),
    last: parts.at(-1),
  }
}

describe.each(['in one process', 'across processes'])('a stream that may begin anew, %s', where => {
  let first: SimProvider
  let second: SimProvider
  let api: BatonApi
  let workers: Baton | null = null

  beforeAll(async () => {
    first = createSimProvider({ behaviour: { stream: { tokens, tokenGapMs: 2 } } })
    second = createSimProvider({ behaviour: { stream: { tokens: tokens + 3, tokenGapMs: 2 } } })
    await Promise.all([first, second].map(sim => sim.start()))
    // On a busy machine a healthy stream is silent for seconds as well.
    const provider = (sim: SimProvider, silence = '60s') => ({
      ...{
        type: 'openai',
        base_url: `${sim.url}/v1`,
        api_key: 'k',
        retries: 0,
        breaker: { min_calls: 1000 },
      },
      stream: { first_token_timeout: '60s', idle_timeout: silence },
    })
    const names = [...breaking, 'gpt-4']
    const models = Object.fromEntries(names.map(name => [name, { provider: 'first', fallback_to: 'good' }]))
    const config = {
      providers: {
        first: provider(first, '4s'),
        second: provider(second),
        patient: { ...provider(first), retries: 2, backoff: { base: '1ms' } },
      },
      models: {
        ...models,
        good: { provider: 'second', upstream_model: 'gpt-4' },
        again: { provider: 'patient', upstream_model: 'reset-mid-body-then-reset-mid-body-then-ok' },
        lost: { provider: 'first', upstream_model: 'reset-mid-body', fallback_to: 'lost2' },
        lost2: { provider: 'second', upstream_model: 'reset-mid-body' },
      },
    }
    if (where === 'across processes') {
      workers = await openBaton({ level: 'workers', config })
      api = await openBaton({ level: 'api', config, workers: [], prefix: workers.prefix })
    } else api = await openBaton({ level: 'api', config })
  })

  afterAll(async () => {
    await api?.stop()
    await workers?.stop()
    await Promise.all([first, second].map(sim => sim?.stop()))
  })

  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${api.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const chatOf = (model: string) => ({ model, stream: true, messages: [{ role: 'user', content: 'hi' }] })
  const follow = (id: string, lastEventId?: string) =>
    fetch(`${api.url}/v1/jobs/${id}/stream`, {
      headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    }).then(response => response.text())
  const contentOf = (body: string) =>
    (JSON.parse(body) as { choices: [{ message: { content: string } }] }).choices[0].message.content

  it.each(breaking)('goes on at the next target where the first one meets %s', async model => {
    const response = await post('/v1/chat/completions', chatOf(model), restart)
    const id = response.headers.get('x-baton-job-id')!
    const read = readOf(await response.text())
    const job = await api.ended(id)
    expect(job).toMatchObject({ status: 'succeeded', target: { provider: 'second' } })
    expect(read).toMatchObject({ restarts: 1, content: contentOf(job.response!.body) })
    expect(read.void[0]).toMatch(/./)
    expect(read.last!.endsWith('data: [DONE]\n\n')).toBe(true)
    // Who comes later has nothing of what is void.
    expect(readOf(await follow(id))).toMatchObject({ restarts: 0, content: read.content })
  })

  it('begins anew at the same target where that is asked again at once', async () => {
    const response = await post('/v1/chat/completions', chatOf('again'), restart)
    const id = response.headers.get('x-baton-job-id')!
    const read = readOf(await response.text())
    const job = await api.ended(id)
    expect(job.attempts.map(({ hop, verdict }) => [hop, verdict])).toEqual([
      [0, 'transient'],
      [0, 'transient'],
      [0, 'ok'],
    ])
    expect(read).toMatchObject({ restarts: 2, content: contentOf(job.response!.body) })
    expect(readOf(await follow(id))).toMatchObject({ restarts: 0, content: read.content })
  })

  it('begins anew for a reader that comes back with a part of the old one, and for nobody else', async () => {
    const submitted = await post('/v1/jobs', { body: chatOf('reset-mid-body'), on_stream_failure: 'restart' })
    const { id } = (await submitted.json()) as { id: string }
    const watched = await follow(id)
    const { content } = readOf(watched)
    expect(readOf(watched).restarts).toBe(1)
    const ids = [...watched.matchAll(/^id: (.*)$/gm)].map(([, eventId]) => eventId!)
    const log = (await api.context.store.read(id))!.log!
    const [old, kept] = [
      ids.find(one => !one.startsWith(log.run))!,
      ids.filter(one => one.startsWith(log.run)),
    ]
    expect(readOf(await follow(id, old))).toMatchObject({ restarts: 1, content })
    expect(readOf(await follow(id, kept[9]))).toMatchObject({ restarts: 0 })
    await api.context.redis.del(api.context.keys.log(id, log.run))
    expect(readOf(await follow(id, old))).toMatchObject({ restarts: 1, content })
    expect(readOf(await follow(id, kept[9]))).toMatchObject({ restarts: 1, content })
  })

  it('is told to the official clients', async () => {
    const openai = new OpenAI({
      baseURL: `${api.url}/v1`,
      apiKey: 'k',
      maxRetries: 0,
      defaultHeaders: restart,
    })
    let text = ''
    let restarts = 0
    const messages = [{ role: 'user' as const, content: 'hi' }]
    for await (const chunk of await openai.chat.completions.create({
      ...{ model: 'stream-error-midway', stream: true, messages },
    })) {
      if ((chunk.object as string) === 'baton.restart') {
        text = ''
        restarts += 1
      }
      text += chunk.choices[0]?.delta.content ?? ''
    }
    expect(restarts).toBe(1)
    expect(text).toHaveLength(
      readOf(await (await post('/v1/chat/completions', chatOf('good'))).text()).content!.length,
    )

    const anthropic = new Anthropic({ baseURL: api.url, apiKey: 'k', maxRetries: 0, defaultHeaders: restart })
    let starts = 0
    let message = ''
    for await (const event of await anthropic.messages.create({
      ...{ model: 'stream-error-midway', max_tokens: 100, stream: true, messages },
    })) {
      if (event.type === 'message_start') {
        starts += 1
        message = ''
      }
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
        message += event.delta.text
    }
    expect([starts, message]).toEqual([2, text])
  })

  it('is refused for a response in the background, and by any other word', async () => {
    const background = { model: 'good', input: 'hi', background: true }
    for (const [path, body, value] of [
      ['/v1/responses', background, 'restart'],
      ['/v1/chat/completions', chatOf('good'), 'again'],
    ] as const) {
      const response = await post(path, body, { 'x-baton-on-stream-failure': value })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { param: 'x-baton-on-stream-failure' } })
    }
  })

  it('ends with one error where all targets break', async () => {
    const response = await post('/v1/chat/completions', chatOf('lost'), {
      ...restart,
      'x-baton-timeout': '4s',
    })
    const read = readOf(await response.text())
    expect(read.restarts).toBeGreaterThan(0)
    expect(read.last!.match(/"error":/g)).toHaveLength(1)
    expect(read.last!.endsWith('data: [DONE]\n\n')).toBe(true)
    const job = await api.ended(response.headers.get('x-baton-job-id')!)
    expect(job).toMatchObject({ status: 'expired', error: { code: 'expired' } })
  })
})
