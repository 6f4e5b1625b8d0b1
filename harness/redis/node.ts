import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createSystem, obtainRedisServer } from '../../src/redis/dev/binary.ts'
import { findFreePort, isPortFree, probeRedis } from '../../src/redis/dev/probe.ts'
import { type GuardedProcess, spawnGuarded } from '../../src/redis/dev/watchdog.ts'

/** One redis-server of several, as a process that a test may hurt. It ends with the test's process. */
export interface RedisNode {
  readonly host: string
  readonly port: number
  /** redis-server's own process id; another one after a restart. */
  readonly pid: number
  /** SIGKILL by default. Waits for the end, unless the signal only stops or continues the process. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts again on the same port and data, after ending what still runs. */
  restart(): Promise<void>
}

export interface NodeOptions {
  readonly dir: string
  /** The lines of its configuration beside port, address and folder. The server may rewrite the file. */
  readonly config: readonly string[]
  readonly args?: readonly string[]
  readonly port: number
}

export const host = '127.0.0.1'

/** A cluster's nodes talk to each other on a second port, 10000 above the first. */
export const findFreePorts = async (): Promise<number> => {
  for (;;) {
    const port = await findFreePort()
    if (await isPortFree(port + 10_000)) return port
  }
}

/** Resolves when the server answers. Throws with the end of its log. */
export const startNode = async ({ dir, config, args = [], port }: NodeOptions): Promise<RedisNode> => {
  await mkdir(dir, { recursive: true })
  const configPath = join(dir, 'redis.conf')
  const lines = [`port ${port}`, `bind ${host}`, `dir "${dir}"`, ...config]
  await writeFile(configPath, `${lines.join('\n')}\n`)
  const binary = await obtainRedisServer(createSystem())
  const launch = () => launched([binary, configPath, ...args], join(dir, 'redis.log'), port)
  let server = await launch()

  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.hasEnded()) return
    process.kill(server.pid, signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await server.ended
  }
  return {
    host,
    port,
    get pid() {
      return server.pid
    },
    kill: (signal = 'SIGKILL') => kill(signal),
    restart: async () => {
      await kill('SIGKILL')
      server = await launch()
    },
  }
}

const patienceMs = 10_000

const launched = async (argv: readonly string[], logPath: string, port: number): Promise<GuardedProcess> => {
  const server = await spawnGuarded(argv, logPath)
  const endsAt = performance.now() + patienceMs
  while (!server.hasEnded() && performance.now() < endsAt) {
    const answer = await probeRedis(`redis://${host}:${port}`)
    if (answer.state === 'ready' && answer.pid === server.pid) return server
    await delay(20)
  }
  server.kill()
  throw new Error(
    `redis-server did not start on port ${port}:\n${(await readFile(logPath, 'utf8')).slice(-1_000)}`,
  )
}

/** Asks once, on a connection of its own; null when there is no answer within a second. */
export const ask = async <Reply>(
  port: number,
  question: (redis: Redis) => Promise<Reply>,
): Promise<Reply | null> => {
  const redis = new Redis(port, host, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: null,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await question(redis)
  } catch {
    return null
  } finally {
    if (redis.status !== 'end') redis.disconnect()
  }
}
