import { readFile } from 'node:fs/promises'
import { rolesToServe } from './cli/served-roles.ts'
import { readTime } from './clock/clock.ts'
import { loadConfig } from './config/load.ts'
import type { Config } from './config/schema.ts'
import { readWorkers } from './health/heartbeats.ts'
import { createLogger } from './lifecycle/logger.ts'
import { probeReady } from './probe-ready.ts'
import { createApiRedis } from './redis/connect.ts'
import { describePlace, redisPlaceOf } from './redis/place.ts'
import { readRoleWords } from './role-words.ts'

/** The arguments that process 1 gave to main.ts, or to `baton serve`. */
const argsOfContainer = async (): Promise<readonly string[]> => {
  const words = (await readFile('/proc/1/cmdline', 'utf8')).split('\0').filter(word => word !== '')
  const entry = words.findIndex(word => /(?:^|\/)(?:src\/main\.ts|baton(?:\.js|\.ts)?)$/.test(word))
  const given = words.slice(entry + 1)
  const roles = words[entry]?.endsWith('main.ts') ? given : rolesToServe(given)
  if (entry < 0 || roles === null)
    throw new Error('Process 1 does not run Baton. Name the role that runs here, as `baton healthcheck api`.')
  return roles
}

/**
 * Without a port of its own: a worker that Redis can be reached from. One of a provider must also be told of in the cluster lately; by this
 * container or, as heartbeats name no container, by another of the same provider.
 */
const checkWorker = async (config: Config, name: string | undefined): Promise<void> => {
  const place = redisPlaceOf(config.redis) ?? 'redis://127.0.0.1:6379'
  const redis = createApiRedis(place, createLogger('silent'))
  try {
    await new Promise<void>((ready, failed) => {
      redis.once('ready', ready)
      redis.once('error', (error: NodeJS.ErrnoException) =>
        failed(new Error(`${describePlace(place)} cannot be reached (${error.code ?? error.message})`)),
      )
    })
    const { prefix } = config.redis
    const workers = await readWorkers(redis, prefix, await readTime(redis, prefix))
    if (name !== undefined && name in config.providers && !workers.some(w => w.provider === name)) {
      throw new Error(`no worker of ${name} was heard of lately`)
    }
  } finally {
    redis.disconnect()
  }
}

/**
 * Looks whether a process of this machine can work, by the role that it runs: `words` name it as they do for
 * `baton serve`. Without any the role is that of process 1, so that one HEALTHCHECK fits all containers.
 *
 * @throws an error that says what is wrong.
 */
export const checkHealth = async (words: readonly string[], env: NodeJS.ProcessEnv): Promise<void> => {
  const { names, config: file } = readRoleWords(words.length > 0 ? words : await argsOfContainer())
  const config = loadConfig({ file, cwd: process.cwd(), env })
  const [role, name] = names
  const { host, port, admin_host, admin_port } = config.server
  // Any free port is known to nobody else.
  if (admin_port) return probeReady(admin_host, admin_port)
  await (role === 'worker' ? checkWorker(config, name) : probeReady(host, port))
}
