import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Deployment, openDeployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { testRedis } from '../support/redis.ts'

let sims: SimProvider[]
/** Jobs leave the queue once the cluster has agreed for half a minute. */
const patience = { timeoutMs: 80_000 }
let site: Deployment
let redis: ReturnType<typeof testRedis>
beforeEach(async () => {
  sims = [createSimProvider(), createSimProvider()]
  for (const sim of sims) await sim.start()
  redis = testRedis()
})
afterEach(async () => {
  await site.close()
  for (const sim of sims) await sim.stop()
})

/** One provider behind the route `m`; the other config has the other provider alone. */
const config = (name: 'old' | 'fresh') => ({
  redis,
  server: { port: 0 },
  jobs: { lease: '2s' },
  providers: {
    [name]: {
      type: 'openai',
      base_url: `${sims[name === 'old' ? 0 : 1]!.url}/v1`,
      api_key: 'k',
      concurrency: 4,
    },
  },
  models: { m: { provider: name } },
})
const change = () => writeFile(join(site.dir, 'baton.yaml'), JSON.stringify(config('fresh')))
const started = async () => {
  const baton = site.run()
  const { url } = (await baton.logged('api listening')) as unknown as { url: string }
  await baton.logged('started')
  return { baton, url }
}
const request = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
const json = { 'content-type': 'application/json' }
const read = async (url: string) => (await (await fetch(url)).json()) as Record<string, unknown>

describe('a reload that takes away the provider', () => {
  test('of a batch: its lines are answered once each, by the new one where the old had not been asked', async () => {
    sims[0]!.script({ latency: { kind: 'fixed', ms: 100 } })
    site = await openDeployment(config('old'))
    const { url } = await started()
    const ids = Array.from({ length: 100 }, (_, i) => `row-${i}`)
    const lines = ids.map(id =>
      JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body: request }),
    )
    const form = new FormData()
    form.set('purpose', 'batch')
    form.set('file', new Blob([`${lines.join('\n')}\n`]), 'in.jsonl')
    const file = (await (await fetch(`${url}/v1/files`, { method: 'POST', body: form })).json()) as {
      id: string
    }
    const made = await fetch(`${url}/v1/batches`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({
        input_file_id: file.id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
      }),
    })
    const { id } = (await made.json()) as { id: string }
    await until(() => sims[0]!.calls.calls >= 8)

    await change()
    expect((await fetch(`${url}/v1/admin/reload`, { method: 'POST' })).status).toBe(200)
    const batch = await until(async () => {
      const batch = await read(`${url}/v1/batches/${id}`)
      return batch.status === 'completed' ? batch : null
    }, patience)
    expect(batch.request_counts).toMatchObject({ total: 100, completed: 100, failed: 0 })
    const output = await (await fetch(`${url}/v1/files/${batch.output_file_id}/content`)).text()
    const answered = output
      .trim()
      .split('\n')
      .map(text => JSON.parse(text).custom_id as string)
    expect(answered.toSorted()).toEqual(ids.toSorted())
    const [old, fresh] = sims.map(sim => sim.calls.calls) as [number, number]
    expect(old + fresh).toBe(100)
    expect(fresh).toBeGreaterThan(0)
  })

  test.each([0, 50, 200])(
    'and a kill %i ms into it: every job ends once, under the config as it is then',
    async afterMs => {
      sims[0]!.script({ latency: { kind: 'fixed', ms: 100 } })
      site = await openDeployment(config('old'))
      const { baton, url } = await started()
      const submit = async () => {
        const answer = await fetch(`${url}/v1/jobs`, {
          method: 'POST',
          headers: json,
          body: JSON.stringify({ body: request }),
        })
        return ((await answer.json()) as { id: string }).id
      }
      const ids = await Promise.all(Array.from({ length: 40 }, submit))
      await until(() => sims[0]!.calls.calls >= 4)
      await change()
      const reload = fetch(`${url}/v1/admin/reload`, { method: 'POST' }).catch(() => undefined)
      await delay(afterMs)
      await baton.kill()
      await reload

      const again = await started()
      for (const id of ids) {
        const job = await until(async () => {
          const job = await read(`${again.url}/v1/jobs/${id}`)
          return job.finished_at === null ? null : job
        }, patience)
        expect(job).toMatchObject({ status: 'succeeded' })
      }
      // Calls that were under way when the process was killed, four at either, are made again; no others are.
      const [old, fresh] = sims.map(sim => sim.calls.calls) as [number, number]
      expect(old + fresh).toBeLessThanOrEqual(40 + 8)
      expect(fresh).toBeGreaterThan(0)
    },
  )
})
