import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Deployment, openDeployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { testRedis } from '../support/redis.ts'

const [old, fresh] = [createSimProvider(), createSimProvider()]
let site: Deployment
afterEach(async () => {
  await site.close()
  await Promise.all([old.stop(), fresh.stop()])
})

test('a stream that runs goes on under the old terms when a reload removes its provider', {
  timeout: 120_000,
}, async () => {
  await Promise.all([old.start(), fresh.start()])
  const redis = testRedis()
  const config = (name: string, url: string) => ({
    redis,
    server: { port: 0, admin_port: 0 },
    providers: { [name]: { type: 'openai', base_url: `${url}/v1`, api_key: 'k' } },
    models: { m: { provider: name } },
  })
  site = await openDeployment(config('old', old.url))
  const baton = site.run()
  const { url } = await baton.logged('api listening')
  const admin = (await baton.logged('admin port listening')).url as string
  await baton.logged('started')
  const metric = async (name: string): Promise<string | undefined> =>
    new RegExp(`^${name}\\{provider="old".*\\} (\\d+)$`, 'm').exec(
      await (await fetch(`${admin}/metrics`)).text(),
    )?.[1]
  const chat = (stream: boolean) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'hello' }] }),
    })
  old.script({ stream: { tokens: 100, tokenGapMs: 100 } })
  const answer = await chat(true)
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = (await reader.read()).value!

  await writeFile(join(site.dir, 'baton.yaml'), JSON.stringify(config('fresh', fresh.url)))
  expect((await fetch(`${url}/v1/admin/reload`, { method: 'POST' })).status).toBe(200)
  expect((await chat(false)).status).toBe(200)
  expect([old.calls.calls, fresh.calls.calls]).toEqual([1, 1])
  expect(await metric('baton_calls_in_flight')).toBe('1')

  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
  expect(text).toMatch(/data: \[DONE\]\s*$/)
  expect(text.match(/"delta"/g)!.length).toBeGreaterThanOrEqual(100)
  expect(text).not.toContain('"error"')
  expect([old.calls.calls, fresh.calls.calls]).toEqual([1, 1])
  await until(async () => (await metric('baton_attempt_duration_seconds_count')) === '1')
  expect(Number(await metric('baton_tokens_total'))).toBeGreaterThan(0)
})
