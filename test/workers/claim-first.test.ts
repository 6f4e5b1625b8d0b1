import { describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { providerQueue } from '../../src/queue/doorbells.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { startMonitor } from '../support/monitor.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

describe('the claim of a job', () => {
  // The ready list may let go of a chunk as soon as the records say who runs its jobs, long before they end. What keeps a crash
  // between the two from losing a job is their order.
  it('comes before the ready list lets go of the chunk that it came with', async () => {
    const provider = createSimProvider()
    await provider.start()
    const config = {
      providers: { first: { type: 'openai', base_url: `${provider.url}/v1`, api_key: 'k' } },
      models: { 'gpt-4': { provider: 'first' } },
    }
    const baton = await openBaton({ level: 'workers', config })
    const monitor = await startMonitor(testRedis().url)
    const taken = `${baton.context.keys.ready(providerQueue('first'))}:taken`
    try {
      const { commands } = monitor
      const ids = await Promise.all(Array.from({ length: 40 }, () => baton.chat('gpt-4')))
      for (const id of ids) await baton.ended(id)

      /** Where a chunk with this job is written, and where it is let go of. */
      const chunkOf = (id: string): string => {
        const written = commands.find(
          c => /^hset/i.test(c) && c.includes(`${taken} `) && c.includes(`${id}.0.0`),
        )!
        return written.split(' ')[2]!
      }
      const indexOfEnd = (chunk: string): number =>
        commands.findIndex(c => /^hdel/i.test(c) && c.includes(`${taken} `) && c.split(' ').includes(chunk))
      await until(() => ids.every(id => indexOfEnd(chunkOf(id)) >= 0))
      for (const id of ids) {
        const claimed = commands.findIndex(c => /^hset/i.test(c) && c.includes(`:j:${id} state running`))
        expect(claimed).toBeGreaterThanOrEqual(0)
        expect(claimed).toBeLessThan(indexOfEnd(chunkOf(id)))
      }
    } finally {
      await monitor.stop()
      await baton.stop()
      await provider.stop()
    }
  })
})
