import type { RequestListener } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { openUpstream } from '../contract/providers/open-provider.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { runIn } from './run-in-folder.ts'

const good = 'sk-good-0123456789abc'
const bad = 'sk-bad-0123456789xyz'

const openSim = async (): Promise<string> => {
  const sim = createSimProvider({ keys: [good] })
  await sim.start()
  onTestFinished(() => sim.stop())
  return sim.url
}

/** A provider that quotes the key that it was shown. */
const telltale: RequestListener = ({ headers }, response) => {
  const message = `Incorrect API key provided: ${headers.authorization}`
  answering(429, { error: { message, code: 'insufficient_quota', type: message } })({} as never, response)
}

const shown = (text: string): string[][] => text.split('\n').map(line => line.split(/ {2,}/))

describe('baton check-keys', () => {
  test('each key of each provider is asked for, and the bad ones told', async () => {
    const sim = await openSim()
    const broke = await openUpstream(telltale)
    const text = `
providers:
  openai: {type: openai, base_url: "${sim}/v1", api_keys: ["\${GOOD}", "\${BAD}", "\${UNSET}"]}
  anthropic: {type: anthropic, base_url: "${sim}", api_key: "\${GOOD}"}
  broke: {type: openai, base_url: "${broke.url}", api_key: "\${BAD}"}
  gone: {type: openai-compatible, base_url: "http://127.0.0.1:1"}
  rehearsal: {type: simulated}
  aws: {type: bedrock, base_url: "${broke.url}", region: us-east-1, access_key_id: "\${BAD}", secret_access_key: "\${UNSET}"}
  idle: {type: openai, base_url: "${broke.url}", api_key: "\${BAD}"}
models:
  a: {provider: openai, fallback_to: [b, c, d, e, f]}
  b: {provider: anthropic}
  c: {provider: broke}
  d: {provider: gone}
  e: {provider: rehearsal}
  f: {provider: aws}
`
    const run = (commandLine: string) => runIn({ 'baton.yaml': text }, commandLine, { GOOD: good, BAD: bad })
    const { exitCode, out } = await run('keys --check')
    const checks = shown(out).map(([provider, , , , ...rest]) => [
      provider,
      rest.at(-1)?.replace(/\d+ ms$/, 'N ms'),
    ])
    expect(checks).toEqual([
      ['PROVIDER', 'CHECK'],
      ['openai', 'ok, N ms'],
      ['openai', 'refused (401), N ms'],
      ['openai', 'not asked: no key'],
      ['anthropic', 'ok, N ms'],
      ['broke', 'out of quota (429), N ms'],
      ['gone', 'unreachable (connect), N ms'],
      ['rehearsal', 'not asked: simulated'],
      ['aws', 'not asked: no key'],
      ['aws', undefined],
    ])
    expect(exitCode).toBe(1)

    const json = await run('keys --check --json')
    expect(JSON.parse(json.out)[1]).toMatchObject({
      provider: 'openai',
      masked: 'sk-…xyz',
      check: { standing: 'refused', status: 401, reason: null, latency_ms: expect.any(Number) },
    })
    for (const told of [out, json.out]) {
      expect(told).not.toContain('0123456789')
      expect(told).not.toContain('Incorrect')
    }
    // One that no route leads to is left alone: once for the table and once for the JSON.
    expect(broke.arrivals).toHaveLength(2)
  })

  test('0 when all are good, or nothing is known against them', async () => {
    const [sim, listless] = [await openSim(), await openUpstream(answering(404, 'nothing here'))]
    const text = `
providers:
  local: {type: openai-compatible, base_url: "${listless.url}"}
  openai: {type: openai, base_url: "${sim}/v1", api_key: ${good}}
models: {a: {provider: openai, fallback_to: b}, b: {provider: local}}
`
    const { exitCode, out } = await runIn({ 'baton.yaml': text }, 'keys --check')
    expect(out).toMatch(/unclear answer \(404\), \d+ ms\n.+ok, \d+ ms$/)
    expect(exitCode).toBe(0)
  })

  test('an identity of a cloud is named, and what is in its way is told with what to do', async () => {
    const azure = await openUpstream(answering(200, { data: [] }))
    const entra = await openUpstream(answering(200, { access_token: 'a-token', expires_in: 3600 }))
    const text = `
providers:
  known: {type: azure, base_url: "${azure.url}", authority: "${entra.url}"}
  unknown: {type: azure, base_url: "${azure.url}", authority: "${entra.url}", tenant_id: t, client_id: other}
models:
  a: {provider: known, fallback_to: b}
  b: {provider: unknown}
`
    const env = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_FEDERATED_TOKEN_FILE: '/nowhere/token' }
    const entries = shown((await runIn({ 'baton.yaml': text }, 'keys', env)).out)
    expect(entries.slice(1)).toEqual([
      ['known', 'azure', 'Entra ID', 'identity'],
      ['unknown', 'azure', 'Entra ID', 'identity'],
    ])
    const bad = await runIn({ 'baton.yaml': text }, 'keys --check', env)
    expect(bad.out).toContain('no credentials: The federated token /nowhere/token cannot be read.')
    expect(bad.exitCode).toBe(1)

    const secret = { ...env, AZURE_CLIENT_SECRET: 's3cret' }
    const good = await runIn({ 'baton.yaml': text }, 'keys --check', secret)
    expect(good.out).toMatch(/known .* ok, \d+ ms, by the client c of Entra ID\n/)
    expect(good.out).not.toMatch(/s3cret|a-token/)
    expect(good.exitCode).toBe(0)

    const doctor = await runIn({ 'baton.yaml': text, '.env': 'REDIS_URL=redis://127.0.0.1:1' }, 'doctor', env)
    expect(doctor.out).toMatch(
      /BAD +providers +known +The federated token \/nowhere\/token cannot be read\n +-> See whether it is mounted\./,
    )
  })
})
