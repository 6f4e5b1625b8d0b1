import type { Logger } from 'pino'
import { ConfigError } from './config/fault.ts'
import { type ConfigFile, filesOf, readConfigFile } from './config/file.ts'
import { judgedConfig } from './config/load.ts'
import { type Config, configSchema } from './config/schema.ts'
import { createSecretFiles } from './config/secret-files.ts'
import {
  createGenerations,
  type Generations,
  type GenerationsOptions,
  type ReadConfig,
} from './generations.ts'
import { createVitals } from './health/vitals.ts'
import { createFileWatch, createMountWatch, type FileWatch } from './lifecycle/file-watch.ts'
import { createLifecycle, type Lifecycle, StopRequested } from './lifecycle/lifecycle.ts'
import { createLogger } from './lifecycle/logger.ts'
import { createStopProcess } from './lifecycle/stop-process.ts'
import { namedRoles, noRole, rolesOf } from './named-roles.ts'
import { consentOf } from './redis/dev/ask-install.ts'
import type { Consent } from './redis/dev/binary.ts'
import { readRoleWords, UsageError, usage } from './role-words.ts'
import { simulatedDefaults } from './sim/with-simulated.ts'
import { StartError } from './start-error.ts'
import { openRedis } from './start-redis.ts'

/** After the grace, for closing what is not a call: then the process ends whatever is still open. */
const closingMs = 5_000

const madeUp = `
  ┌──────────────────────────────────────────────────────────────────────────┐
  │ NO CONFIG: SIMULATED PROVIDERS SERVE, AND EVERY ANSWER IS MADE UP.       │
  │ There is no baton.yaml here, and neither --config nor BATON_CONFIG names │
  │ another file. For real answers: npx baton init                           │
  └──────────────────────────────────────────────────────────────────────────┘
`

/** Where there is no config at all, the simulated providers stand in; a config without providers is a fault. */
const withDefaults = (config: Config): Config =>
  Object.keys(config.providers).length === 0
    ? { ...config, ...configSchema.pick({ providers: true, models: true }).parse(simulatedDefaults) }
    : config

interface Start {
  readonly first: ReadConfig
  readonly consent: Consent
  readonly log: Logger
  readonly reloading: Pick<GenerationsOptions, 'read' | 'rolesOf' | 'env'>
  readonly watch: FileWatch
  /** Of mounted secrets. */
  readonly mounts: FileWatch
  readonly onOpen: (generations: Generations) => void
}

const start = async (life: Lifecycle, options: Start): Promise<void> => {
  const { first, consent, log, reloading, watch, mounts, onOpen } = options
  const { config } = first
  if (Object.values(config.providers).some(p => p.type === 'simulated')) {
    log.warn({ event: 'providers.simulated' }, 'simulated providers serve: the answers are made up')
  }
  const vitals = createVitals()
  let generations: Generations | null = null
  const admin = {
    config: { server: config.server, apiKeys: () => (generations?.config ?? config).api_keys },
    vitals: () => generations?.vitals ?? vitals,
    counts: () => generations?.counts ?? vitals.counts(),
  }
  const { admin_host, admin_port } = config.server
  if (admin_port !== undefined) {
    const { serveAdmin } = await import('./api/operator/admin-app.ts')
    await serveAdmin(life, { ...admin, log }).catch(error => {
      const settings = 'Each process needs a port of its own: set ADMIN_HOST and ADMIN_PORT, or `server`.'
      throw explainListen(error, { what: 'The admin port', host: admin_host, port: admin_port, settings })
    })
  }
  const redisAt = await openRedis(life, config, log, consent)
  generations = createGenerations({ ...reloading, redisAt, graceMs: config.server.shutdown_grace, log })
  onOpen(generations)
  const { host, port } = config.server
  const place = { what: 'The API', host, port, settings: 'Set HOST and PORT, or `server`.' }
  await generations.start(first, vitals).catch(error => Promise.reject(explainListen(error, place)))
  if (config.server.watch_config) await watchConfig(life, watch, generations)
  await watchMounts(life, mounts, generations)
  log.info({ event: 'process.started', ...reloading.rolesOf(config) }, 'started')
}

const watchConfig = (life: Lifecycle, watch: FileWatch, generations: Generations): Promise<unknown> =>
  life.open(
    'config watch',
    // Why a file was refused stands in the log.
    () => watch.start(() => void generations.reload(false).catch(() => undefined)),
    () => watch.stop(),
  )

const watchMounts = (life: Lifecycle, mounts: FileWatch, generations: Generations): Promise<unknown> =>
  life.open(
    'mounts watch',
    () => mounts.start(() => void generations.reloadSecrets().catch(() => undefined)),
    () => mounts.stop(),
  )

/** Stops what reloads replace before what they leave as it is. */
const wholeLife = (life: Lifecycle, graceMs: number) => {
  let generations: Generations | null = null
  let isStopping = false
  const whole: Lifecycle = {
    open: life.open,
    stop: async (withinMs = graceMs) => {
      isStopping = true
      const deadline = performance.now() + withinMs
      await generations?.stop(withinMs)
      await life.stop(Math.max(0, deadline - performance.now()))
    },
    get stopping() {
      return isStopping
    },
    get parts() {
      return life.parts
    },
    get holdup() {
      return isStopping ? (generations?.holdup ?? life.holdup) : null
    },
  }
  const onOpen = (opened: Generations): void => {
    if (isStopping) throw new StopRequested()
    generations = opened
  }
  return { whole, onOpen }
}

interface Listening {
  readonly what: string
  readonly host: string
  readonly port: number
  /** What a person may set. */
  readonly settings: string
}

const explainListen = (error: unknown, { what, host, port, settings }: Listening): unknown => {
  const { code } = error as NodeJS.ErrnoException
  const explain = (why: string) =>
    new StartError(`${what} cannot listen on ${host}:${port}: ${why} ${settings}`, { cause: error })
  if (code === 'EADDRINUSE') return explain('the port is in use.')
  if (code === 'EACCES') return explain('this user may not use the port.')
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return explain('this machine has no such address.')
  return error
}

const fail = (error: unknown, log: Logger): void => {
  if (error instanceof ConfigError || error instanceof StartError) console.error(error.message)
  else log.fatal({ event: 'process.start_failed', err: error }, 'not started')
  process.exitCode = error instanceof UsageError ? 2 : 1
}

/** By which signals reach a process. */
interface Handlers {
  onStop(handler: (signal: string) => void): void
  onReload(handler: () => void): void
}

/** Runs the named roles until a signal. `handlers` take over what signals do; the exit code tells how it ended. */
export const runRoles = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  handlers: Handlers,
): Promise<void> => {
  const log = createLogger(env.LOG_LEVEL ?? 'info')
  try {
    const words = readRoleWords(args)
    if (words.asksForHelp) return console.log(usage)
    const sources = { file: words.config, cwd: process.cwd(), env }
    // Before it is read: what is written meanwhile is a change.
    const paths = filesOf(sources)
    const watch = createFileWatch(paths, log)
    const files = createSecretFiles((file, problem) =>
      log.error(
        { event: 'config.secret_kept', file, problem },
        'mounted secret not read: the old one goes on',
      ),
    )
    const judged = (source: ConfigFile): Config =>
      judgedConfig(
        source,
        ({ path: key, line, message: advice }) =>
          log.warn({ event: 'config.key_renamed', key, line, advice }, 'config key has a new name'),
        files,
      )
    const read = (): ReadConfig => {
      const source = readConfigFile(sources)
      return { config: withDefaults(judged(source)), again: () => withDefaults(judged(source)) }
    }
    const first = read()
    const { config } = first
    const mounts = createMountWatch(() => files.paths, log)
    rolesOf(words.names, config)
    if (paths.length === 0) console.error(madeUp)
    // A worker whose provider is gone stays, with nothing to do, until a config names it again.
    const reloading = { read, rolesOf: (now: Config) => namedRoles(words.names, now) ?? noRole, env }
    const graceMs = config.server.shutdown_grace
    const { whole: life, onOpen } = wholeLife(createLifecycle(graceMs, log), graceMs)
    const stop = createStopProcess({ life, limitMs: graceMs + closingMs, log, exit: process.exit })
    const leaving = new AbortController()
    handlers.onStop(signal => {
      leaving.abort()
      stop(signal)
    })
    const consent = consentOf({
      isTold: words.mayInstallRedis,
      isUnattended: Boolean(env.CI),
      input: process.stdin,
      output: process.stderr,
      signal: leaving.signal,
    })
    await start(life, {
      ...{ first, consent, log, reloading, watch, mounts },
      onOpen: generations => {
        onOpen(generations)
        handlers.onReload(() => void generations.reload(false).catch(() => undefined))
      },
    }).catch(async error => {
      if (!(error instanceof StopRequested)) fail(error, log)
      await life.stop()
    })
  } catch (error) {
    fail(error, log)
  }
}
