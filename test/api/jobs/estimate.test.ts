import { expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createSimProvider } from '../../../src/sim/sim-provider.ts'
import { openBaton } from '../../support/open-baton.ts'
import { call, chat } from '../test-api.ts'

/** Eight a second: four at a time, half a second each. */
const openSite = async () => {
  const sim = createSimProvider()
  await sim.start()
  const at = { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k', concurrency: 4 }
  const baton = await openBaton({
    level: 'api',
    config: { providers: { slow: at }, models: { 'slow-500ms': { provider: 'slow' } } },
  })
  return {
    submit: async (): Promise<string> => {
      const body = { body: chat('hi', { model: 'slow-500ms' }), endpoint: '/v1/chat/completions' }
      const { status, json } = await call(baton, 'POST', '/v1/jobs', { body })
      expect(status).toBe(202)
      expect(json.estimated_completion_at).toBeNull()
      return json.id
    },
    read: async (id: string) => (await call(baton, 'GET', `/v1/jobs/${id}`)).json,
    [Symbol.asyncDispose]: async () => {
      await baton.stop()
      await sim.stop()
    },
  }
}

it('a job says when it is likely to be done, by what waits before it', async () => {
  await using site = await openSite()
  const ids: string[] = []
  for (let i = 0; i < 120; i++) ids.push(await site.submit())
  // By then the speed is steady.
  await until(async () => (await site.read(ids[40]!)).status === 'succeeded')
  const last = await until(async () => {
    const job = await site.read(ids.at(-1)!)
    // Where this machine stands still, the provider seems slow for a moment, and jobs park.
    return (
      job.status === 'queued' &&
      job.estimated_completion_at !== null && { ...job, readAt: Date.now() / 1_000 }
    )
  })
  const middle = await site.read(ids[80]!)
  const running = await until(async () => {
    for (const id of ids) {
      const job = await site.read(id)
      if (job.status === 'running') return job
    }
    return false
  })
  expect(running.estimated_completion_at).not.toBeNull()
  expect(middle.estimated_completion_at).toBeLessThan(last.estimated_completion_at)

  const ended = await until(async () => {
    const job = await site.read(ids.at(-1)!)
    return job.status === 'succeeded' && job
  }, 60_000)
  expect(ended.estimated_completion_at).toBeNull()
  const told = last.estimated_completion_at - last.readAt
  const took = ended.finished_at - last.readAt
  expect(told / took).toBeGreaterThan(1 / 2)
  expect(told / took).toBeLessThan(2)
}, 90_000)
