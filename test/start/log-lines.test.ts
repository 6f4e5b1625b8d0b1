import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { doubledKeys } from '../support/doubled-keys.ts'
import { openBaton } from '../support/open-baton.ts'

describe('log lines', () => {
  test('the scan sees what is there twice', () => {
    expect(doubledKeys('{"a":1,"b":{"a":2,"c":"\\"a\\":"},"a":[{"a":1}]}')).toEqual(['a'])
    expect(doubledKeys('{"a":[{"b":1},{"b":2}],"b":"{\\"b\\":1}"}')).toEqual([])
  })

  /** A private Redis, every role, and providers that fail in every way: what is logged of trouble has the most fields. */
  test('no line of a process at debug has a key twice', async () => {
    const sim = createSimProvider()
    await sim.start()
    const blobs = await mkdtemp(join(tmpdir(), 'baton-log-lines-'))
    const breaker = { min_calls: 1, consecutive_failures: 1, reset: '500ms' }
    const site = await openBaton({
      level: 'processes',
      config: {
        providers: {
          failing: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k', retries: 0, breaker },
          gone: { type: 'openai', base_url: 'http://127.0.0.1:1/v1', api_key: 'k', retries: 0, breaker },
          good: { type: 'anthropic', base_url: sim.url, api_key: 'k' },
        },
        models: {
          'fail-500': { provider: 'failing', fallback_to: 'lost' },
          'fail-429': { provider: 'failing', fallback_to: 'lost' },
          'fail-401': { provider: 'gone' },
          lost: { provider: 'gone', fallback_to: 'claude' },
          claude: { provider: 'good' },
        },
        server: { port: 0, admin_port: 0 },
        storage: { path: blobs },
      },
      env: { LOG_LEVEL: 'debug' },
    })
    onTestFinished(async () => {
      await site.close()
      await sim.stop()
      await rm(blobs, { recursive: true, force: true })
    })
    const baton = site.run()
    const { url } = await baton.logged('api listening')
    await baton.logged('started')
    const send = (model: string) =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
      })
    for (const model of ['fail-500', 'fail-429', 'lost', 'claude']) await send(model)
    await fetch(`${url}/v1/providers/good/pause`, { method: 'POST' })
    await until(
      () => baton.output.includes('"breaker changed state"') && baton.output.includes('"job handed over"'),
    )
    baton.signal('SIGTERM')
    expect((await baton.exited).code).toBe(0)

    const lines = baton.output.split('\n').filter(line => line.startsWith('{'))
    expect(lines.length).toBeGreaterThan(20)
    for (const message of ['private redis started', 'attempt failed', 'worker started', 'request answered']) {
      expect(lines.some(line => line.includes(message))).toBe(true)
    }
    expect(lines.filter(line => doubledKeys(line).length > 0)).toEqual([])
  })
})
