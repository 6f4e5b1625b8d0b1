import { parseArgs } from 'node:util'
import type { Logger } from 'pino'
import { batchesRole, openBatchWorker } from '../workers/batch.ts'
import { openProviderWorker } from '../workers/provider.ts'
import { openWebhookWorker } from '../workers/webhook.ts'
import { serveAdmin } from './api/operator/admin-app.ts'
import { serveApi } from './api/serve.ts'
import { ConfigError } from './config/fault.ts'
import { loadConfig } from './config/load.ts'
import { type Config, configSchema } from './config/schema.ts'
import { openContext } from './context/context.ts'
import { createVitals } from './health/vitals.ts'
import { createLifecycle, type Lifecycle, StopRequested } from './lifecycle/lifecycle.ts'
import { createLogger } from './lifecycle/logger.ts'
import { createStopProcess } from './lifecycle/stop-process.ts'
import { webhookQueue } from './queue/doorbells.ts'
import { consentOf } from './redis/dev/ask-install.ts'
import type { Consent } from './redis/dev/binary.ts'
import { simulatedDefaults, withSimulated } from './sim/with-simulated.ts'
import { StartError } from './start-error.ts'
import { openRedis } from './start-redis.ts'

const usage = `Usage: node src/main.ts [role] [--config FILE] [--install-redis]

Roles:
  (none)              the API, a worker for every provider, webhooks and batches, in one process
  api                 the API alone
  worker <provider>   one provider's worker
  worker webhooks     webhook deliveries
  worker batches      feeds batches and collects their results

--install-redis lets a start that finds neither REDIS_URL nor a redis-server install one with the package manager.`

/** After the grace, for closing what is not a call: then the process ends whatever is still open. */
const closingMs = 5_000

/** What a process does; all of it when no role is named. */
interface Roles {
  readonly api: boolean
  readonly providers: readonly string[]
  readonly webhooks: boolean
  readonly batches: boolean
}

const noRole: Roles = { api: false, providers: [], webhooks: false, batches: false }

const rolesOf = ([role, name, ...rest]: readonly string[], config: Config): Roles => {
  const providers = Object.keys(config.providers)
  if (role === undefined) return { api: true, providers, webhooks: true, batches: true }
  if (role !== 'api' && role !== 'worker') throw new StartError(`Unknown role '${role}'.\n\n${usage}`)
  const unexpected = role === 'api' ? name : rest[0]
  if (unexpected !== undefined) throw new StartError(`Unexpected argument '${unexpected}'.\n\n${usage}`)
  if (role === 'api') return { ...noRole, api: true, providers: config.server.express ? providers : [] }
  if (name === webhookQueue) return { ...noRole, webhooks: true }
  if (name === batchesRole) return { ...noRole, batches: true }
  if (name !== undefined && providers.includes(name)) return { ...noRole, providers: [name] }
  const names = [...providers, webhookQueue, batchesRole].join(', ')
  throw new StartError(`Name what to work on: ${names}.\n\n${usage}`)
}

const madeUp = `
  ┌──────────────────────────────────────────────────────────────────────────┐
  │ NO CONFIG: SIMULATED PROVIDERS SERVE, AND EVERY ANSWER IS MADE UP.       │
  │ There is no baton.yaml here, and neither --config nor BATON_CONFIG names │
  │ another file. For real answers: cp baton.example.yaml baton.yaml         │
  └──────────────────────────────────────────────────────────────────────────┘
`

/** Where there is no config at all, the simulated providers stand in; a config without providers is a fault. */
const withDefaults = (config: Config): Config => {
  if (Object.keys(config.providers).length > 0) return config
  console.error(madeUp)
  return { ...config, ...configSchema.pick({ providers: true, models: true }).parse(simulatedDefaults) }
}

interface Start {
  readonly roles: Roles
  readonly config: Config
  readonly consent: Consent
  readonly log: Logger
}

const start = async (life: Lifecycle, { roles, config, consent, log }: Start): Promise<void> => {
  if (Object.values(config.providers).some(p => p.type === 'simulated')) {
    log.warn({ event: 'providers.simulated' }, 'simulated providers serve: the answers are made up')
  }
  const vitals = createVitals()
  await serveAdmin(life, { config, vitals, log }).catch(error => {
    const { admin_host, admin_port = 0 } = config.server
    const settings = 'Each process needs a port of its own: set ADMIN_HOST and ADMIN_PORT, or `server`.'
    throw explainListen(error, { what: 'The admin port', host: admin_host, port: admin_port, settings })
  })
  const redisAt = await openRedis(life, config, log, consent)
  const served = await withSimulated(life, config)
  const context = await openContext(life, { config: served, redisAt, log, vitals })
  for (const name of roles.providers) await openProviderWorker(life, context, name)
  if (roles.webhooks) await openWebhookWorker(life, context)
  if (roles.batches) await openBatchWorker(life, context)
  if (roles.api) {
    const { host, port } = config.server
    const place = { what: 'The API', host, port, settings: 'Set HOST and PORT, or `server`.' }
    await serveApi(life, context).catch(error => Promise.reject(explainListen(error, place)))
  }
  vitals.started()
  log.info({ event: 'process.started', ...roles }, 'started')
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

const readArguments = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        'install-redis': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${usage}`, { cause: error })
  }
}

const fail = (error: unknown, log: Logger): void => {
  if (error instanceof ConfigError || error instanceof StartError) console.error(error.message)
  else log.fatal({ event: 'process.start_failed', err: error }, 'not started')
  process.exitCode = 1
}

/** Runs the named roles until a signal. `onStop` takes over what signals do; the exit code tells how it ended. */
export const runRoles = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onStop: (handler: (signal: string) => void) => void,
): Promise<void> => {
  const log = createLogger(env.LOG_LEVEL ?? 'info')
  try {
    const { positionals, values } = readArguments(args)
    if (values.help) return console.log(usage)
    const config = withDefaults(
      loadConfig({ file: values.config, cwd: process.cwd(), env }, ({ path: key, line, message: advice }) =>
        log.warn({ event: 'config.key_renamed', key, line, advice }, 'config key has a new name'),
      ),
    )
    const roles = rolesOf(positionals, config)
    const graceMs = config.server.shutdown_grace
    const life = createLifecycle(graceMs, log)
    const stop = createStopProcess({ life, limitMs: graceMs + closingMs, log, exit: process.exit })
    const leaving = new AbortController()
    onStop(signal => {
      leaving.abort()
      stop(signal)
    })
    const consent = consentOf({
      isTold: values['install-redis'] === true,
      isUnattended: Boolean(env.CI),
      input: process.stdin,
      output: process.stderr,
      signal: leaving.signal,
    })
    await start(life, { roles, config, consent, log }).catch(async error => {
      if (!(error instanceof StopRequested)) fail(error, log)
      await life.stop()
    })
  } catch (error) {
    fail(error, log)
  }
}
