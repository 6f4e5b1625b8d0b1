import type { RequestListener } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../harness/until.ts'
import { openUpstream } from '../contract/providers/open-provider.ts'
import { answering, type RecordingUpstream } from '../contract/providers/recording-upstream.ts'
import { openBaton } from '../support/open-baton.ts'

const answer = { choices: [{ message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] }
const granted = (token: string) => answering(200, { access_token: token, expires_in: 3600 })
const refused = answering(401, {
  error: 'invalid_client',
  error_description: 'AADSTS7000215: Invalid secret.',
})

/** What a process has in common with another, or not. */
interface Others {
  readonly entra?: RecordingUpstream
  readonly prefix?: string
  readonly client_secret?: string
}

/** A worker of an Azure that knows callers by tokens of Entra ID, and has a fallback; `alone` has none. */
const open = async (
  grant: RequestListener,
  azure: RequestListener,
  { entra: known, prefix, client_secret = 's3cret' }: Others = {},
) => {
  const [entra, api, other] = await Promise.all([
    known ?? openUpstream(grant),
    openUpstream(azure),
    openUpstream(answering(200, answer)),
  ])
  const baton = await openBaton({
    level: 'workers',
    ...(prefix !== undefined && { prefix }),
    config: {
      providers: {
        azure: {
          ...{ type: 'azure', base_url: api.url, authority: entra.url },
          ...{ tenant_id: 't', client_id: 'c', client_secret },
        },
        other: { type: 'openai-compatible', base_url: other.url },
      },
      models: {
        m: { provider: 'azure', fallback_to: 'n' },
        n: { provider: 'other' },
        alone: { provider: 'azure' },
      },
    },
  })
  onTestFinished(() => baton.stop())
  return { baton, entra, api, other }
}

const stopped = (baton: Awaited<ReturnType<typeof open>>['baton']) =>
  baton.context.cooldowns.current().find(({ scope }) => scope.startsWith('key:azure#'))

describe('the credentials of a worker', () => {
  it('a provider without any is stopped from the start on, and goes on when they are there again', async () => {
    let isKnown = false
    const grant: RequestListener = (incoming, response) =>
      (isKnown ? granted('good') : refused)(incoming, response)
    const first = await open(grant, answering(200, answer))
    const entry = await until(() => stopped(first.baton))
    expect(entry).toMatchObject({
      ...{ state: 'stopped', reason: 'no_credentials', verdict: 'bad_credentials' },
      error: {
        message: expect.stringMatching(/refuses \(invalid_client: AADSTS7000215: Invalid secret\)\. Compare/),
      },
    })
    const record = await first.baton.ended(await first.baton.chat('m'))
    expect(record).toMatchObject({ status: 'succeeded', attempts: [{ provider: 'other' }] })
    expect(first.api.arrivals).toEqual([])

    isKnown = true
    const { prefix } = first.baton
    const second = await open(grant, answering(200, answer), { entra: first.entra, prefix })
    await until(() => stopped(second.baton) === undefined)
    await until(() => stopped(first.baton) === undefined)
  })

  it('asks for them again while there are none, and what is parked for want of them goes on', async () => {
    let isKnown = false
    const { baton } = await open(
      (incoming, response) => (isKnown ? granted('good') : refused)(incoming, response),
      answering(200, answer),
    )
    await until(() => stopped(baton))
    const id = await baton.chat('alone', { windowMs: 3_600_000 })
    await until(async () => (await baton.context.store.read(id))?.status === 'parked')
    isKnown = true
    expect(await baton.ended(id)).toMatchObject({ status: 'succeeded', attempts: [{ verdict: 'ok' }] })
  })

  it('a token that ends in the middle of a run fails no job, and cools nothing', async () => {
    let n = 0
    const ended = new Set<string>()
    const azure: RequestListener = (incoming, response) => {
      const token = String(incoming.headers.authorization)
      const isEnded = ended.has(token)
      answering(isEnded ? 401 : 200, isEnded ? { error: { code: '401', message: 'expired' } } : answer)(
        incoming,
        response,
      )
    }
    const { baton, api, entra } = await open(
      (incoming, response) => granted(`token-${++n}`)(incoming, response),
      azure,
    )
    await baton.ended(await baton.chat('m'))
    ended.add('Bearer token-1')
    const ids = await Promise.all(Array.from({ length: 8 }, () => baton.chat('m')))
    for (const id of ids) {
      const record = await baton.ended(id)
      expect(record).toMatchObject({ status: 'succeeded', attempts: [{ provider: 'azure', verdict: 'ok' }] })
      expect(record.attempts).toHaveLength(1)
    }
    expect(entra.arrivals).toHaveLength(2)
    expect(api.arrivals.filter(({ headers }) => headers.authorization === 'Bearer token-2')).toHaveLength(8)
    expect(baton.context.cooldowns.current()).toEqual([])
  })

  it('a call that began with other credentials, and is refused with them, does not stop these', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const azure: RequestListener = async (incoming, response) => {
      const isOld = incoming.headers.authorization === 'Bearer old'
      if (isOld) await released
      const [status, body] = isOld ? [401, { error: { code: '401', message: 'no more' } }] : [200, answer]
      answering(status, body)(incoming, response)
    }
    let isOldKnown = true
    const grant: RequestListener = (incoming, response) =>
      (isOldKnown ? granted('old') : refused)(incoming, response)
    const old = await open(grant, azure)
    const id = await old.baton.chat('alone', { windowMs: 3_600_000 })
    await until(() => old.api.arrivals.length === 1)

    // As after a reload: the next generation of the config has another secret, and the call of the last goes on.
    const next = await open(granted('new'), azure, {
      prefix: old.baton.prefix,
      client_secret: 'another-s3cret',
    })
    isOldKnown = false
    release()
    const entry = await until(() => stopped(next.baton))
    expect(entry).toMatchObject({ state: 'stopped', reason: 'no_credentials' })
    const target = { provider: 'azure', model: 'alone' }
    expect(old.baton.context.keyRings.get('azure')!.unavailableUntil()).toBeGreaterThan(0)
    expect(next.baton.context.keyRings.get('azure')!.unavailableUntil()).toBe(0)
    expect(next.baton.context.cooldowns.unavailableUntil(target)).toBe(0)
    await old.baton.stop()
    expect(await next.baton.ended(id)).toMatchObject({ status: 'succeeded' })
    expect(next.api.arrivals.at(-1)!.headers.authorization).toBe('Bearer new')
  })
})
