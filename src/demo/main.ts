import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { createLifecycle, type Lifecycle, StopRequested } from '../lifecycle/lifecycle.ts'
import { createLogger } from '../lifecycle/logger.ts'
import { audit } from './audit.ts'
import { openBaton } from './baton.ts'
import { openCast } from './cast.ts'
import { createClient, submitAll } from './client.ts'
import { introduction, verdictOf } from './narration.ts'
import { readDemoOptions } from './options.ts'
import { watchJobs } from './progress.ts'
import { createScreen, type Screen } from './screen.ts'
import { renderSummary } from './summary.ts'

const logFile = '.baton/demo.log'
/** Many times what a run takes; what is missing then will not come. */
const patienceMs = 240_000
const graceMs = 2_000
/** After the grace, for closing what is not a call: a part that hangs must not hold the terminal. */
const closingMs = 5_000

const log = createLogger('info', pino.destination({ dest: logFile, mkdir: true, append: false, sync: false }))

/** Plays the whole demo. True when every job has its one result and its webhook. */
const play = async (life: Lifecycle, jobs: number, screen: Screen, signal: AbortSignal): Promise<boolean> => {
  screen.say(introduction(jobs, logFile))
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const cast = await openCast(life, secret)
  const { primary, receiver } = cast
  const apiUrl = await openBaton(life, { cast, secret, redisUrl: process.env.REDIS_URL || undefined, log })
  const client = createClient(apiUrl, receiver.url, signal)
  await client.ready()
  screen.say(`Baton serves on ${apiUrl}; submitting ${jobs} jobs.\n`)

  const startedAt = performance.now()
  let submitted = 0
  const onSubmitted = (count: number): void => {
    submitted = count
    primary.advance(count / jobs)
  }
  const around = () => ({ total: jobs, submitted, webhooks: receiver.events.length, phase: primary.phase })
  const [ids, { parked }] = await Promise.all([
    submitAll(client, jobs, onSubmitted, signal),
    watchJobs(client, around, screen.show, { ms: patienceMs, signal }),
  ])
  const elapsedMs = performance.now() - startedAt

  const evidence = { ids, jobs: await Promise.all(ids.map(client.read)), deliveries: receiver.deliveries }
  const faults = audit(evidence)
  screen.say(`\n${renderSummary({ ...evidence, parked, elapsedMs })}\n\n${verdictOf(faults, jobs, logFile)}`)
  return faults.length === 0
}

/** Closes everything, or ends the process: its Redis and its servers end with it. */
const close = (life: Lifecycle, exitCode: number): Promise<void> => {
  setTimeout(() => process.exit(exitCode), graceMs + closingMs).unref()
  return life.stop()
}

const main = async (): Promise<number> => {
  const { jobs } = readDemoOptions(process.argv.slice(2))
  const screen = createScreen(process.stdout, () => performance.now())
  const life = createLifecycle(graceMs, log)
  const stopping = new AbortController()
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(130)
    screen.say('\nStopping; once more to stop at once.')
    stopping.abort()
    void close(life, 130)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    return (await play(life, jobs, screen, stopping.signal)) ? 0 : 1
  } catch (error) {
    if (stopping.signal.aborted || error instanceof StopRequested) return 130
    throw error
  } finally {
    await close(life, 1)
  }
}

main().then(
  exitCode => {
    process.exitCode = exitCode
  },
  (error: Error) => {
    console.error(`The demo could not be played: ${error.message}`)
    process.exitCode = 1
  },
)
