import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Child } from '../../harness/child.ts'
import { openDeployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { testRedis } from '../support/redis.ts'

/** Jobs leave the queue once the cluster has agreed for half a minute. */
const patience = { timeoutMs: 80_000 }

interface Site extends AsyncDisposable {
  /** Behind the route `m`, by the config that is old and the fresh one, which has its provider alone. */
  readonly old: SimProvider
  readonly fresh: SimProvider
  /** All roles in one process, which answers at `url`. */
  start(): Promise<{ readonly baton: Child; readonly url: string }>
  /** Writes the fresh config; nothing reads it yet. */
  change(): Promise<void>
}

const openSite = async (): Promise<Site> => {
  const old = createSimProvider()
  const fresh = createSimProvider()
  await Promise.all([old.start(), fresh.start()])
  old.script({ latency: { kind: 'fixed', ms: 100 } })
  const redis = testRedis()
  const config = (name: string, sim: SimProvider) => ({
    redis,
    server: { port: 0 },
    jobs: { lease: '2s' },
    providers: { [name]: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k', concurrency: 4 } },
    models: { m: { provider: name } },
  })
  const site = await openDeployment(config('old', old))
  return {
    old,
    fresh,
    start: async () => {
      const baton = site.run()
      const { url } = await baton.logged('api listening')
      await baton.logged('started')
      return { baton, url: url as string }
    },
    change: () => writeFile(join(site.dir, 'baton.yaml'), JSON.stringify(config('fresh', fresh))),
    [Symbol.asyncDispose]: async () => {
      await site.close()
      await Promise.all([old.stop(), fresh.stop()])
    },
  }
}

const request = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
const json = { 'content-type': 'application/json' }
const read = async (url: string) => (await (await fetch(url)).json()) as Record<string, unknown>

// Each waits for half a minute, so they wait side by side.
describe.concurrent('a reload that takes away the provider', () => {
  test('of a batch: its lines are answered once each, by the new one where the old had not been asked', async () => {
    await using site = await openSite()
    const { url } = await site.start()
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
    await until(() => site.old.calls.calls >= 8)

    await site.change()
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
    const [old, fresh] = [site.old.calls.calls, site.fresh.calls.calls]
    expect(old + fresh).toBe(100)
    expect(fresh).toBeGreaterThan(0)
  })

  test.each([0, 50, 200])(
    'and a kill %i ms into it: every job ends once, under the config as it is then',
    async afterMs => {
      await using site = await openSite()
      const { baton, url } = await site.start()
      const submit = async () => {
        const answer = await fetch(`${url}/v1/jobs`, {
          method: 'POST',
          headers: json,
          body: JSON.stringify({ body: request }),
        })
        return ((await answer.json()) as { id: string }).id
      }
      const ids = await Promise.all(Array.from({ length: 40 }, submit))
      await until(() => site.old.calls.calls >= 4)
      await site.change()
      const reload = fetch(`${url}/v1/admin/reload`, { method: 'POST' }).catch(() => undefined)
      await delay(afterMs)
      await baton.kill()
      await reload

      const again = await site.start()
      for (const id of ids) {
        const job = await until(async () => {
          const job = await read(`${again.url}/v1/jobs/${id}`)
          return job.finished_at === null ? null : job
        }, patience)
        expect(job).toMatchObject({ status: 'succeeded' })
      }
      // Calls that were under way when the process was killed, four at either, are made again; no others are.
      const [old, fresh] = [site.old.calls.calls, site.fresh.calls.calls]
      expect(old + fresh).toBeLessThanOrEqual(40 + 8)
      expect(fresh).toBeGreaterThan(0)
    },
  )
})
