import { Redis, type RedisOptions } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { type OwnRedis, ownRedis } from '../../support/redis.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(...args: string[]): Promise<{ server: OwnRedis; redis: Redis }> {
  const server = await ownRedis(...args)
  cleanups.push(server.stop)
  return { server, redis: connect(server.url) }
}

function connect(url: string, options: RedisOptions = {}): Redis {
  const redis = new Redis(url, { ...options, retryStrategy: null })
  redis.on('error', () => {})
  cleanups.push(() => redis.disconnect())
  return redis
}

describe('a private redis-server', () => {
  it('runs with the promised settings, on loopback only', async () => {
    const { server, redis } = await start()
    const promised = {
      appendonly: 'yes',
      appendfsync: 'everysec',
      'no-appendfsync-on-rewrite': 'no',
      'maxmemory-policy': 'noeviction',
      save: '',
      'hash-max-listpack-value': '1024',
      'aof-load-truncated': 'yes',
      bind: '127.0.0.1',
      dir: server.dir,
    }
    const reply = (await redis.config('GET', ...Object.keys(promised))) as string[]
    const actual = Object.fromEntries(
      reply.flatMap((name, at) => (at % 2 === 0 ? [[name, reply[at + 1]]] : [])),
    )
    expect(actual).toEqual(promised)
  })

  it('names its own process, not that of the watchdog', async () => {
    const { server, redis } = await start()
    expect(await redis.info('server')).toContain(`process_id:${server.pid}\r\n`)
  })

  it('has every answered write again after SIGKILL and a restart, at the same address', async () => {
    const { server, redis } = await start()
    for (let n = 1; n <= 500; n++) await redis.incr('count')
    const before = server.pid
    await server.kill()
    await server.restart()
    expect(server.pid).not.toBe(before)
    expect(await connect(server.url).get('count')).toBe('500')
  })

  it('counts as started only when its data is loaded', async () => {
    // 200 µs for each of 5,000 keys: about a second in which it answers LOADING.
    const { server, redis } = await start('--key-load-delay', '200')
    await redis.eval("for n = 1, 5000 do redis.call('SET', n, n) end", 0)
    await server.kill()
    const startedMs = performance.now()
    await server.restart()
    expect(performance.now() - startedMs).toBeGreaterThan(500)
    expect(await connect(server.url, { enableReadyCheck: false }).dbsize()).toBe(5_000)
  })

  it('stops when told twice', async () => {
    const { server } = await start()
    await Promise.all([server.stop(), server.stop()])
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
  })

  it('says why it did not start', async () => {
    await expect(start('--maxmemory-policy', 'nonsense')).rejects.toThrow(
      /did not start[\s\S]*maxmemory-policy/,
    )
  })
})
