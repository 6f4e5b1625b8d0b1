// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { configFolder } from '../config/config-folder.ts'
import { openUpstream } from '../contract/providers/open-provider.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { openBaton } from '../support/open-baton.ts'
import { patience } from '../support/patience.ts'
import { ownRedis, testRedis } from '../support/redis.ts'
import { runIn } from './run-in-folder.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const key = 'sk-good-0123456789abc'

interface Told {
  readonly area: string
  readonly subject: string
  readonly verdict: string
  readonly found: string
  readonly remedy: string | null
}

const look = async (config: object, flags = '', env: Readonly<Record<string, string>> = {}) => {
  const { out, exitCode } = await runIn(
    { 'baton.yaml': JSON.stringify(config) },
    `doctor --json ${flags}`,
    env,
  )
  const findings: readonly Told[] = JSON.parse(out).findings
  const of = (area: string, subject?: string): readonly Told[] =>
    findings.filter(f => f.area === area && (subject === undefined || f.subject === subject))
  return { findings, exitCode, of, out }
}

const openSim = async (): Promise<string> => {
  const sim = createSimProvider({ keys: [key], models: ['m', 'm-2-2026-01-31'] })
  await sim.start()
  onTestFinished(() => sim.stop())
  return `${sim.url}/v1`
}

const configOf = (base_url: string, more: object = {}) => ({
  providers: { first: { type: 'openai', base_url, api_key: key } },
  models: { m: { provider: 'first' } },
  webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
  storage: { path: configFolder({}) },
  ...more,
})

const nowhere = 'http://127.0.0.1:1'

describe('baton doctor', () => {
  test('of a deployment that is well, everything is ok', async () => {
    const { url, prefix } = testRedis()
    const config = configOf(await openSim(), { redis: { url, prefix } })
    const baton = await openBaton({ level: 'api', config, webhooks: true, prefix })
    onTestFinished(() => baton.stop())
    const receiver = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void receiver.close())
    await expect.poll(() => (receiver.address() as AddressInfo | null)?.port, patience).toBeTruthy()
    const { port } = receiver.address() as AddressInfo

    const seen = async () => look(config, `--webhook http://127.0.0.1:${port}/hook`)
    // The first heartbeats come within two seconds.
    await expect
      .poll(async () => (await seen()).of('processes').map(f => f.verdict), { timeout: 30_000 })
      .toEqual(['ok', 'ok', 'ok', 'ok'])
    const { findings, exitCode, of } = await seen()
    expect(findings.filter(f => f.verdict !== 'ok')).toEqual([])
    expect(exitCode).toBe(0)
    expect(of('processes', 'versions')[0]!.found).toBe(`${manifest.version} (1 process)`)
    expect(of('redis').map(f => f.subject)).toEqual(['version', 'settings', 'memory', 'latency', 'layout'])
    expect(of('clock')).toHaveLength(2)
    expect(of('storage')[0]!.found).toMatch(/^written, read and removed in \d+ ms$/)
    expect(of('providers', 'first')[0]!.found).toMatch(/^name, TLS and key are good/)
    expect(of('providers', 'first models')[0]!.found).toBe('2 listed, those of its routes among them')
    expect(of('webhooks')).toHaveLength(2)
  })

  test('without Redis it says so, and looks at all the rest', async () => {
    const { of, exitCode } = await look(configOf(await openSim(), { redis: { url: 'redis://127.0.0.1:1' } }))
    expect(of('redis')).toMatchObject([{ verdict: 'bad', found: 'cannot be reached (ECONNREFUSED)' }])
    expect(of('storage')[0]!.verdict).toBe('ok')
    expect(of('providers')[0]!.verdict).toBe('ok')
    expect(exitCode).toBe(1)
  })

  test('a Redis that wants another password is told as such, without the one that was tried', async () => {
    const redis = await ownRedis()
    onTestFinished(() => redis.stop())
    const client = new Redis(redis.url)
    onTestFinished(() => void client.disconnect())
    await client.config('SET', 'requirepass', 'right')
    const { host } = new URL(redis.url)
    for (const [url, code] of [
      [`redis://:no-such-password@${host}`, 'WRONGPASS'],
      [`redis://${host}`, 'NOAUTH'],
    ]) {
      const { of, out } = await look(configOf(nowhere, { redis: { url } }))
      expect(of('redis')).toMatchObject([
        {
          ...{ verdict: 'bad', found: `refuses the user or the password (${code})` },
          remedy: expect.stringContaining('password in REDIS_URL'),
        },
      ])
      expect(out).not.toContain('no-such-password')
    }
  })

  test('a Redis that forgets and deletes is told with what to set', async () => {
    const redis = await ownRedis(
      '--appendonly',
      'no',
      '--maxmemory',
      '100mb',
      '--maxmemory-policy',
      'allkeys-lru',
    )
    onTestFinished(() => redis.stop())
    const { of } = await look(configOf(nowhere, { redis: { url: redis.url } }))
    const settings = of('redis', 'settings')
    expect(settings.map(f => f.verdict)).toEqual(['bad', 'bad'])
    expect(settings.map(f => f.remedy).join(' ')).toMatch(/noeviction.*appendonly/)
    expect(of('processes')).toMatchObject([{ verdict: 'skipped' }])
  })

  test('processes of several versions, clocks that are off, and queues that nobody serves', async () => {
    const { url, prefix } = testRedis()
    const redis = new Redis(url)
    onTestFinished(() => void redis.disconnect())
    const beat = (instance: string, more: object): Promise<number> =>
      redis.hset(
        `${prefix}:{health}:processes`,
        instance,
        JSON.stringify({ instance, ends: {}, seenAtMs: Date.now() + 60_000, ...more }),
      )
    await beat('new', { version: manifest.version, hostOffMs: -12_000 })
    await beat('old', {})
    const { of, exitCode } = await look(configOf(nowhere, { redis: { url, prefix } }))
    expect(of('processes', 'versions')).toMatchObject([
      { verdict: 'warn', found: expect.stringContaining('before 0.2 (1 process)') },
    ])
    expect(of('clock', 'new')).toMatchObject([{ verdict: 'warn', found: 'is 12.0 s behind Redis' }])
    expect(of('processes', 'first')).toMatchObject([
      { verdict: 'bad', remedy: 'Start one: npm run worker -- first.' },
    ])
    expect(of('processes', 'webhooks')[0]!.verdict).toBe('bad')
    expect(exitCode).toBe(1)
  })

  test('newer data than this version knows', async () => {
    const { url, prefix } = testRedis()
    const redis = new Redis(url)
    onTestFinished(() => void redis.disconnect())
    await redis.set(`${prefix}:schema`, '99')
    const { of } = await look(configOf(nowhere, { redis: { url, prefix } }))
    expect(of('redis', 'layout')).toMatchObject([
      { verdict: 'bad', remedy: expect.stringContaining('newer version') },
    ])
  })

  test('a model that no list has is told of; a name without its date, and a wildcard, are not', async () => {
    const { url, prefix } = testRedis()
    const models = {
      a: { provider: 'first', upstream_model: 'm-3' },
      b: { provider: 'first', upstream_model: 'm-2' },
      'first/*': { provider: 'first' },
    }
    const { of } = await look(configOf(await openSim(), { redis: { url, prefix }, models }))
    expect(of('providers', 'first models')).toMatchObject([
      { verdict: 'warn', found: '"m-3" is not among the 2 that it lists' },
    ])
  })

  test('providers: a refused key, a name that nobody knows, a port that nobody has; no key is printed', async () => {
    const base_url = await openSim()
    const { url: ill } = await openUpstream(answering(503, { error: { message: 'away' } }))
    const { url, prefix } = testRedis()
    const { of, out } = await look({
      ...configOf(base_url, { redis: { url, prefix } }),
      providers: {
        refused: { type: 'openai', base_url, api_key: 'sk-bad-0123456789xyz' },
        lost: { type: 'openai', base_url: 'http://no-such-host.invalid', api_key: key },
        shut: { type: 'openai', base_url: nowhere, api_key: key },
        ill: { type: 'openai', base_url: ill, api_key: key },
        keyless: { type: 'openai', base_url, api_key: '${UNSET_KEY}' },
        practice: { type: 'simulated' },
      },
      models: {
        a: { provider: 'refused', fallback_to: ['b', 'c', 'd', 'e', 'f'] },
        ...{
          b: { provider: 'lost' },
          c: { provider: 'shut' },
          d: { provider: 'keyless' },
          e: { provider: 'practice' },
          f: { provider: 'ill' },
        },
      },
    })
    expect(of('providers').map(f => [f.subject, f.verdict, f.found])).toEqual([
      ['refused', 'bad', 'its key is refused (401)'],
      ['lost', 'bad', 'its name is not resolved'],
      ['shut', 'bad', 'no connection'],
      ['ill', 'bad', expect.stringMatching(/^has trouble: answered \(503\) in \d+ ms$/)],
      ['keyless', 'bad', 'has no key'],
      ['practice', 'skipped', 'simulated: nothing is called'],
    ])
    expect(
      of('providers')
        .filter(f => f.verdict === 'bad')
        .every(f => f.remedy !== null),
    ).toBe(true)
    expect(out).not.toMatch(/sk-(?:good|bad)/)
  })

  test.each([
    ['a private address', 'https://10.0.0.1/x', 'leads to a private address, or is plain http'],
    ['plain http', 'http://93.184.216.34/x', 'leads to a private address, or is plain http'],
    ['nobody there', 'https://127.0.0.1:1/x', 'is not reached (ECONNREFUSED)'],
    ['no URL', 'receiver', 'is no URL'],
  ])('a receiver: %s', async (_, receiver, found) => {
    const { url, prefix } = testRedis()
    const { of } = await look(configOf(nowhere, { redis: { url, prefix } }), `--webhook ${receiver}`)
    expect(of('webhooks').at(-1)).toMatchObject({ verdict: 'bad', found })
  })

  test('a place for files that is a file', async () => {
    const { url, prefix } = testRedis()
    const folder = configFolder({ taken: '' })
    const { of } = await look(
      configOf(nowhere, { redis: { url, prefix }, storage: { path: `${folder}/taken` } }),
    )
    expect(of('storage')).toMatchObject([{ verdict: 'bad', remedy: expect.stringContaining('storage') }])
  })

  test('a config with faults is all that is told', async () => {
    const { findings, exitCode } = await look({ providers: { first: { type: 'openai', api_kee: key } } })
    expect(findings.map(f => f.area)).toEqual(expect.arrayContaining(['config']))
    expect(findings.every(f => f.area === 'config' && f.verdict === 'bad')).toBe(true)
    expect(exitCode).toBe(1)
  })

  test('as text: a line for each check, the remedy below it, and the sum', async () => {
    const { out, exitCode } = await runIn({}, 'doctor', { REDIS_URL: 'redis://127.0.0.1:1' })
    expect(out).toMatch(/^ok {4}config/m)
    expect(out).toMatch(
      /^BAD {3}redis .*cannot be reached \(ECONNREFUSED\)\n {6}-> Start it, or set REDIS_URL/m,
    )
    expect(out).toMatch(/\d checks: 1 bad, 1 to look at$/)
    expect(exitCode).toBe(1)
  })
})
