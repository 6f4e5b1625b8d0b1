import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { openLink } from '../../harness/link.ts'
import { freeze, signal } from '../../harness/signals.ts'
import { parseRedisUrl } from '../../src/redis/address.ts'
import { startPrivateRedis } from '../../src/redis/dev/server.ts'
import { parseInfo } from '../../src/redis/preflight.ts'
import type { FaultKind } from '../plan/faults.ts'
import { members } from '../plan/processes.ts'
import { canLimitDisk, fillDisk, freeDisk, launcher } from './disk-limit.ts'
import { fillMemory } from './fill-memory.ts'
import type { ChaosRedis } from './redis.ts'

/** One server with an append-only file, started as Baton starts its own, and a link of its own for each process. */
export const openSingleRedis = async (runDir: string): Promise<ChaosRedis> => {
  const dir = join(runDir, 'redis')
  const server = await startPrivateRedis({ dir, launcher, log: pino({ level: 'silent' }) })
  const { host, port } = parseRedisUrl(server.url)
  const links = new Map(
    await Promise.all(members.map(async ({ name }) => [name, await openLink({ host, port })] as const)),
  )
  const connect = (): Redis => new Redis(server.url, { maxRetriesPerRequest: null })
  const inspector = connect()
  inspector.on('error', () => undefined) // it is killed on purpose; the connection comes back by itself

  const kill = async (forMs: number): Promise<string> => {
    const behind = Number(parseInfo(await inspector.info('persistence')).get('aof_buffer_length'))
    signal(server.pid, 'SIGKILL')
    await delay(forMs)
    await server.restart()
    // While the disk is busy with the second before, `everysec` answers first and writes up to two seconds later.
    return behind > 0 ? `its log was ${behind} bytes behind what it had answered` : ''
  }

  const stopLog = async (forMs: number): Promise<string> => {
    // On a slow machine it may still be on its way back from the fault before.
    await inspector.ping()
    const { pid } = server
    await fillDisk(pid, dir)
    await delay(forMs)
    const struck = (await inspector.info('persistence')).includes('aof_last_write_status:err')
    await freeDisk(pid)
    return struck ? '' : 'nothing was written in that time'
  }

  const silence = async (target: string, forMs: number): Promise<string> => {
    const link = links.get(target)!
    await link.set('silent')
    await delay(forMs)
    await link.set('open')
    return ''
  }

  const acts: Partial<Record<FaultKind, (target: string, forMs: number) => Promise<string>>> = {
    'redis-kill': (_, forMs) => kill(forMs),
    'redis-pause': (_, forMs) => freeze(server.pid, forMs).then(() => ''),
    'redis-full': (_, forMs) => fillMemory(inspector, forMs),
    'redis-half-open': silence,
    ...((await canLimitDisk()) && { 'redis-disk-full': (_: string, forMs: number) => stopLog(forMs) }),
  }

  return {
    possible: Object.keys(acts) as FaultKind[],
    config: {},
    envOf: member => ({ REDIS_URL: `redis://${links.get(member)!.address}` }),
    connect,
    suffer: (kind, target, forMs) => acts[kind]!(target, forMs),
    close: async () => {
      inspector.disconnect()
      await Promise.all([...links.values()].map(link => link.close()))
      await server.stop()
    },
  }
}
