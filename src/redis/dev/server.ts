import { mkdir, readFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type Consent, createSystem, obtainRedisServer } from './binary.ts'
import { findFreePort, isPortFree, probeRedis } from './probe.ts'
import { type GuardedProcess, spawnGuarded } from './watchdog.ts'

export interface PrivateRedisOptions {
  /** Where data and log live; made when missing. One server per folder at a time: `acquireRedis` sees to that. */
  readonly dir: string
  readonly log: Logger
  /** More redis-server arguments; they win over the settings here. */
  readonly extraArgs?: readonly string[]
  /** Words before the command's own, of a program that becomes redis-server, as `nice` does. */
  readonly launcher?: readonly string[]
  /** Asked before redis-server is installed; it may be where this is absent. */
  readonly consent?: Consent | undefined
  /** Listens on this port or fails; any free one when absent. */
  readonly port?: number
  /** Called when the server ends although nobody stopped it. */
  readonly onLost?: () => void
}

/** A redis-server on loopback that ends with this process, however that dies. */
export interface PrivateRedis {
  readonly url: string
  /** redis-server's own process id; another one after a restart. */
  readonly pid: number
  /** Starts again on the same port and data, after stopping what still runs. */
  restart(): Promise<void>
  /** Lets the server save and end. May be called twice. */
  stop(): Promise<void>
}

/** How long a server may give no sign of life at its start, or take to save at its end. */
const patienceMs = 10_000

/** Resolves when the server answers PONG, its data loaded. Throws with the tail of the server's log. */
export async function startPrivateRedis(options: PrivateRedisOptions): Promise<PrivateRedis> {
  const dir = resolve(options.dir)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const binary = await obtainRedisServer(createSystem(), options.consent)
  const { launcher = [], extraArgs = [] } = options
  const argvOn = (port: number) => [...launcher, binary, ...settings(dir, port), ...extraArgs]
  let expectsEnd = false
  const launchOn = async (port: number) => {
    const launched = await launch(argvOn(port), dir, port)
    options.log.info(
      { event: 'redis.private_started', redisPid: launched.pid, port, dir },
      'private redis started',
    )
    void launched.ended.then(() => {
      if (expectsEnd) return
      options.log.error(
        { event: 'redis.private_died', redisPid: launched.pid, port, dir },
        'private redis died',
      )
      options.onLost?.()
    })
    return launched
  }
  let { port, server } = await launchOnPort(launchOn, options.port)
  let restarted: Promise<void> = Promise.resolve()
  let stopped: Promise<void> | undefined

  const relaunch = async () => {
    expectsEnd = true
    await end(server)
    if (stopped !== undefined) throw new Error('the private redis-server was stopped')
    expectsEnd = false
    server = await launchOn(port)
  }
  const stop = async () => {
    expectsEnd = true
    // Its failure was its caller's to see; a server that did not come up has ended already.
    await restarted.catch(() => {})
    await end(server)
  }
  return {
    url: urlOf(port),
    get pid() {
      return server.pid
    },
    restart: () => (restarted = restarted.catch(() => {}).then(relaunch)),
    stop: () => (stopped ??= stop()),
  }
}

const urlOf = (port: number) => `redis://127.0.0.1:${port}`

/** Of the machine, or of the container: a rewrite of the append-only file may need as much again. */
function halfOfMemory(): number {
  const allowed = process.constrainedMemory() || Number.POSITIVE_INFINITY
  return Math.floor(Math.min(totalmem(), allowed) / 2)
}

function settings(dir: string, port: number): string[] {
  const pairs = {
    bind: '127.0.0.1',
    port: String(port),
    dir,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'no-appendfsync-on-rewrite': 'no',
    'aof-load-truncated': 'yes',
    maxmemory: String(halfOfMemory()),
    'maxmemory-policy': 'noeviction',
    // Keeps BullMQ's job hashes compact (half the memory).
    'hash-max-listpack-value': '1024',
  }
  return Object.entries(pairs).flatMap(([name, value]) => [`--${name}`, value])
}

/** A free port can be taken before the server binds it; then another one is tried. A given port is final. */
async function launchOnPort(
  launchOn: (port: number) => Promise<GuardedProcess>,
  given: number | undefined,
): Promise<{ port: number; server: GuardedProcess }> {
  for (;;) {
    const port = given ?? (await findFreePort())
    try {
      return { port, server: await launchOn(port) }
    } catch (error) {
      if (given !== undefined || (await isPortFree(port))) throw error
    }
  }
}

async function launch(argv: readonly string[], dir: string, port: number): Promise<GuardedProcess> {
  const logPath = join(dir, 'redis.log')
  const server = await spawnGuarded(argv, logPath)
  if (await becomesReady(server, urlOf(port))) return server
  await end(server)
  const tail = (await readFile(logPath, 'utf8')).trimEnd().split('\n').slice(-8).join('\n')
  throw new Error(`redis-server did not start on port ${port}; the end of its log:\n${tail}`)
}

/** Loading may take as long as it takes: only silence counts against the server. */
async function becomesReady(server: GuardedProcess, url: string): Promise<boolean> {
  let silentSince = performance.now()
  while (!server.hasEnded() && performance.now() - silentSince < patienceMs) {
    const answer = await probeRedis(url)
    // Whoever took the port first would answer too, until ours gives up.
    if (answer.state === 'ready' && answer.pid === server.pid) return true
    if (answer.state === 'loading') silentSince = performance.now()
    await delay(20)
  }
  return false
}

async function end(server: GuardedProcess): Promise<void> {
  server.release()
  const deadline = setTimeout(server.kill, patienceMs)
  await server.ended
  clearTimeout(deadline)
}
