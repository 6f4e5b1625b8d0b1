import { pino } from 'pino'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { checkSchema, schemaVersion } from '../../src/redis/schema.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

const { url, prefix } = testRedis()
const redis = createPatientRedis(url, pino({ level: 'silent' }))
const key = `${prefix}:schema`
beforeEach(async () => void (await redis.del(key)))
afterAll(() => redis.disconnect())

describe('the version of the layout in Redis', () => {
  it('is written down where there is none, and stays what it is', async () => {
    expect(await checkSchema(redis, prefix)).toBeNull()
    expect(await redis.get(key)).toBe(String(schemaVersion))
    expect(await checkSchema(redis, prefix, schemaVersion + 1)).toBeNull()
    expect(await redis.get(key)).toBe(String(schemaVersion))
  })

  it('keeps a process out that is older', async () => {
    await redis.set(key, schemaVersion + 1)
    expect(await checkSchema(redis, prefix)).toBe(
      `A newer Baton has written to this Redis: the data under the prefix \`${prefix}\` have layout 2, and this version knows 1. Start the newer version, or set \`redis.prefix\` to another prefix.`,
    )
  })

  it('keeps a process out of data from before there were versions', async () => {
    const schedule = `${prefix}:{7}:agenda`
    await redis.zadd(schedule, 1, 'job')
    expect(await checkSchema(redis, prefix)).toMatch(/^An older Baton has written to this Redis/)
    expect(await redis.exists(key)).toBe(0)
    await redis.del(schedule)
  })

  it('ends the start of a process that is older with one sentence, in every role', async () => {
    await redis.set(key, schemaVersion + 1)
    const config = {
      redis: { prefix },
      providers: { sim: { type: 'simulated', base_url: 'http://127.0.0.1:9/v1' } },
      models: { m: { provider: 'sim' } },
    }
    const env = { REDIS_URL: url, PORT: '0' }
    const site = await openBaton({ level: 'processes', config, env })
    try {
      const roles = [['api'], ['worker', 'sim'], ['worker', 'webhooks'], ['worker', 'batches']]
      const started = roles.map(role => ({ role, baton: site.run(...role) }))
      for (const { role, baton } of started) {
        expect((await baton.exited).code, `${role}`).toBe(1)
        expect(baton.output).toContain('A newer Baton has written to this Redis')
        expect(baton.output).not.toContain('schema.ts')
      }
      expect(await redis.keys(`${prefix}:*`)).toEqual([key])
    } finally {
      await site.close()
    }
  })
})
