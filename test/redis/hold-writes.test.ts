import { pino } from 'pino'
import { afterAll, expect, it } from 'vitest'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { holdWrites } from '../../src/redis/hold-writes.ts'
import { testRedis } from '../support/redis.ts'

const { url, prefix } = testRedis()
const redis = createPatientRedis(url, pino({ level: 'silent' }))
afterAll(() => redis.disconnect())

it('commands of a turn leave together, at its end, in their order', async () => {
  await redis.ping()
  const { stream } = redis as unknown as { stream: NodeJS.WritableStream & { writableCorked: number } }
  holdWrites(redis)
  const replies = [redis.set(`${prefix}:x`, 1), redis.incr(`${prefix}:x`), redis.get(`${prefix}:x`)]
  holdWrites(redis)
  expect(stream.writableCorked).toBe(1)
  expect(await Promise.all(replies)).toEqual(['OK', 2, '2'])
  expect(stream.writableCorked).toBe(0)
})
