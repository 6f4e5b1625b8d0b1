import { pino } from 'pino'
import { createLifecycle, type Lifecycle, StopRequested } from '../src/lifecycle/lifecycle.ts'
import { createLogger } from '../src/lifecycle/logger.ts'
import { onStopSignals } from '../src/lifecycle/stop-process.ts'
import { createScreen } from '../src/terminal/screen.ts'
import { createLogbook } from './logbook.ts'
import { readDemoOptions } from './options.ts'
import { runDemo } from './run-demo.ts'

const logFile = '.baton/demo.log'
const graceMs = 2_000
/** After the grace, for closing what is not a call: a part that hangs must not hold the terminal. */
const closingMs = 5_000

const logbook = createLogbook(pino.destination({ dest: logFile, mkdir: true, append: false, sync: false }))
const log = createLogger('info', logbook)

/** Closes everything, or ends the process: its Redis and its servers end with it. */
const close = (life: Lifecycle, exitCode: number): Promise<void> => {
  setTimeout(() => process.exit(exitCode), graceMs + closingMs).unref()
  return life.stop()
}

const main = async (): Promise<number> => {
  const load = readDemoOptions(process.argv.slice(2))
  const screen = createScreen(process.stdout, () => performance.now())
  const life = createLifecycle(graceMs, log)
  const stopping = new AbortController()
  const { signal } = stopping
  const stop = (): void => {
    screen.say('\nStopping; once more to stop at once.')
    stopping.abort()
    void close(life, 130)
  }
  onStopSignals(stop, () => process.exit(130))
  const redisUrl = process.env.REDIS_URL || undefined
  try {
    return (await runDemo(life, { load, screen, log, logFile, logbook, redisUrl, signal })) ? 0 : 1
  } catch (error) {
    if (signal.aborted || error instanceof StopRequested) return 130
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
    console.error(`The demo could not run: ${error.message}`)
    process.exitCode = 1
  },
)
