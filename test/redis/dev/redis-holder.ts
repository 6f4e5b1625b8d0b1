// A process that holds a Redis, for tests to kill: prints what it got, and stops it on SIGTERM. Ignores Ctrl-C.
import { pino } from 'pino'
import { acquireRedis } from '../../../src/redis/dev/acquire.ts'

const redis = await acquireRedis({ dir: process.argv[2]!, log: pino({ level: 'silent' }) })
process.on('SIGINT', () => {})
process.once('SIGTERM', async () => {
  await redis.stop()
  process.exit(0)
})
setInterval(() => {}, 60_000)
console.log(JSON.stringify({ url: redis.url, owned: redis.owned }))
