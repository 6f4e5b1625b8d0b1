import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { createLifecycle, StopRequested } from '../src/lifecycle/lifecycle.ts'
import { onStopSignals } from '../src/lifecycle/stop-process.ts'
import { createScreen } from '../src/terminal/screen.ts'
import { type ChaosOptions, readChaosOptions, usage } from './options.ts'
import { runChaos } from './run.ts'

/** After the run: what does not close by itself is killed when this process ends. */
const closingMs = 15_000
/** Load, faults and what comes after are each bounded; should one of the bounds fail, this one ends the run. */
const settlingMs = 5 * 60_000

const readOptions = (): ChaosOptions => {
  try {
    const options = readChaosOptions(process.argv.slice(2), () => randomInt(2 ** 32 - 1))
    if (options !== 'help') return options
    console.log(usage)
    process.exit(0)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}

const main = async (options: ChaosOptions): Promise<number> => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-chaos-'))
  const screen = createScreen(process.stdout, () => performance.now())
  const life = createLifecycle(closingMs, pino({ level: 'silent' }))
  const stopping = new AbortController()
  onStopSignals(
    () => stopping.abort('interrupted'),
    () => process.exit(130),
  )
  const timer = setTimeout(() => stopping.abort('out of time'), options.durationMs + settlingMs)
  screen.say(`seed ${options.seed}`)
  let passed: boolean | null = null
  try {
    passed = await runChaos(life, { options, dir, screen, signal: stopping.signal })
    return passed ? 0 : 1
  } catch (error) {
    if (stopping.signal.reason === 'interrupted' || error instanceof StopRequested) return 130
    screen.finish()
    console.error(stopping.signal.aborted ? `The run came to no end: ${stopping.signal.reason}.` : error)
    passed = false
    return 1
  } finally {
    clearTimeout(timer)
    // Every child ends with this process, also what does not close.
    setTimeout(() => process.exit(1), closingMs).unref()
    await life.stop()
    const isKept = options.keep || passed === false
    if (isKept) screen.say(`The run's folder: ${dir}`)
    else await rm(dir, { recursive: true, force: true })
    if (passed !== null) screen.say(`${passed ? 'CHAOS PASSED' : 'CHAOS FAILED'} (seed ${options.seed})`)
  }
}

// Not by itself: faults that an interruption left in their midst still wait for their end.
process.exit(await main(readOptions()))
