import { describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { startMonitor } from '../support/monitor.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

describe('the claim of a job', () => {
  // BullMQ may drop a ring as soon as the records say who runs its jobs, long before they end. What keeps a crash between the
  // two from losing a job is their order.
  it('a ring ends in BullMQ after its jobs were claimed', async () => {
    const provider = createSimProvider()
    await provider.start()
    const config = {
      providers: { first: { type: 'openai', base_url: `${provider.url}/v1`, api_key: 'k' } },
      models: { 'gpt-4': { provider: 'first' } },
    }
    const baton = await openBaton({ level: 'workers', config })
    const monitor = await startMonitor(testRedis().url)
    try {
      const { commands } = monitor
      const ids = await Promise.all(Array.from({ length: 40 }, () => baton.chat('gpt-4')))
      for (const id of ids) await baton.ended(id)

      /** Where a ring is written, and where it is removed. */
      const ringOf = (id: string): string => {
        const written = commands.find(c => /^hmset/i.test(c) && c.includes(`${id}.0.0`))!
        return written.split(' ')[1]!
      }
      const indexOfEnd = (ring: string): number =>
        commands.findIndex(c => /^(?:del|unlink)/i.test(c) && c.split(' ').includes(ring))
      await until(() => ids.every(id => indexOfEnd(ringOf(id)) >= 0))
      expect(new Set(ids.map(ringOf)).size).toBeLessThan(ids.length)
      for (const id of ids) {
        const claimed = commands.findIndex(c => /^hset/i.test(c) && c.includes(`:j:${id} state running`))
        expect(claimed).toBeGreaterThanOrEqual(0)
        expect(claimed).toBeLessThan(indexOfEnd(ringOf(id)))
      }
    } finally {
      await monitor.stop()
      await baton.stop()
      await provider.stop()
    }
  })
})
