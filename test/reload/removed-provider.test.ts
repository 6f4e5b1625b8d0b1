import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDeployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { testRedis } from '../support/redis.ts'

const boss = { authorization: 'Bearer boss', 'content-type': 'application/json' }
/** Jobs leave the queue once the cluster has agreed for half a minute. */
const patience = { timeoutMs: 80_000 }

/** No worker of it runs here, so jobs wait in its queue. */
const gone = { type: 'openai', base_url: 'http://127.0.0.1:9/v1', api_key: 'k' }
const before = (kept: object) => ({
  providers: { gone, kept },
  models: {
    chain: { provider: 'gone', fallback_to: 'back' },
    lone: { provider: 'gone' },
    unnamed: { provider: 'gone', fallback_to: 'back' },
    back: { provider: 'kept' },
  },
})
const after = (kept: object) => ({
  providers: { kept },
  models: {
    chain: { provider: 'kept' },
    lone: { provider: 'kept', capabilities: ['audio'] },
    back: { provider: 'kept' },
  },
})

const submit = async (url: string, model: string): Promise<string> => {
  const request = {
    model,
    messages: [
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] },
    ],
  }
  const answer = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers: boss,
    body: JSON.stringify({ body: request }),
  })
  expect(answer.status).toBe(202)
  return ((await answer.json()) as { id: string }).id
}
const jobOf = async (url: string, id: string) =>
  (await (await fetch(`${url}/v1/jobs/${id}`, { headers: boss })).json()) as {
    status: string
    error: { code: string } | null
  }
const ended = (url: string, id: string) =>
  until(async () => {
    const job = await jobOf(url, id)
    return job.status === 'queued' || job.status === 'running' || job.status === 'parked' ? null : job
  }, patience)

// Each waits for half a minute, so they wait side by side.
describe.concurrent('jobs that wait for a provider which is taken out of the config', () => {
  test.each(['a reload', 'a restart'])('by %s: go on where their route leads now, or end', async how => {
    await using cleanup = new AsyncDisposableStack()
    const sim = createSimProvider()
    await sim.start()
    cleanup.defer(() => sim.stop())
    const kept = { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' }
    const base = {
      redis: testRedis(),
      server: { port: 0 },
      api_keys: [{ key: 'boss', role: 'operator' }],
    }
    const site = await openDeployment({ ...base, ...before(kept) })
    cleanup.defer(() => site.close())
    const first = [await site.api(), await site.worker('kept')] as const
    const { url } = first[0]
    const ids: Record<string, string> = {}
    for (const model of ['chain', 'lone', 'unnamed']) ids[model] = await submit(url, model)
    for (const id of Object.values(ids)) expect(await jobOf(url, id)).toMatchObject({ status: 'queued' })

    await writeFile(join(site.dir, 'baton.yaml'), JSON.stringify({ ...base, ...after(kept) }))
    const now = await (async () => {
      if (how === 'a reload') {
        const answer = await fetch(`${url}/v1/admin/reload`, { method: 'POST', headers: boss })
        expect(answer.status).toBe(200)
        return url
      }
      for (const child of first) child.signal('SIGTERM')
      for (const child of first) await child.exited
      await site.worker('kept')
      return (await site.api()).url
    })()

    expect(await ended(now, ids.chain!)).toMatchObject({ status: 'succeeded' })
    // Its target sees no images, and the route of the other is not there any more.
    for (const id of [ids.lone!, ids.unnamed!])
      expect(await ended(now, id)).toMatchObject({ status: 'failed', error: { code: 'no_usable_target' } })
    expect(sim.calls.calls).toBe(1)
  })
})
