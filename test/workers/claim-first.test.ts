import { once } from 'node:events'
import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { deploy } from '../support/deployment.ts'
import { until } from '../support/until.ts'

// The worker does not wait for Redis to confirm a result before BullMQ hears that its doorbell is answered. What keeps a
// crash between the two from losing the job is their order.
it('a result is given to Redis before the end of its doorbell', async () => {
  const provider = createSimProvider()
  await provider.start()
  const config = {
    providers: { first: { type: 'openai', base_url: `${provider.url}/v1`, api_key: 'k' } },
    models: { 'gpt-4': { provider: 'first' } },
  }
  const baton = await deploy({ config })
  const ear = new Redis(baton.core.redis.options.port!, baton.core.redis.options.host!)
  const monitor = await ear.monitor()
  try {
    const commands: string[] = []
    monitor.on('monitor', (_time: string, args: string[]) => commands.push(args.join(' ')))
    const ids = await Promise.all(Array.from({ length: 40 }, () => baton.chat('gpt-4')))
    for (const id of ids) await baton.ended(id)
    const isResult = (id: string) => (command: string) =>
      /^eval/i.test(command) && command.includes(id) && command.includes('succeeded')
    const isEnd = (id: string) => (command: string) =>
      /^eval/i.test(command) && command.includes(`${id}.0.0`) && command.includes('returnvalue')
    await until(() => ids.every(id => commands.some(isEnd(id))))
    for (const id of ids) {
      const [result, end] = [commands.findIndex(isResult(id)), commands.findIndex(isEnd(id))]
      expect(result).toBeGreaterThanOrEqual(0)
      expect(result).toBeLessThan(end)
    }
  } finally {
    const closed = once(monitor, 'end')
    monitor.disconnect()
    await closed
    ear.disconnect()
    await baton.stop()
    await provider.stop()
  }
})
