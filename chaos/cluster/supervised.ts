import { setTimeout as delay } from 'node:timers/promises'
import type { Child, Exit } from '../../harness/child.ts'
import type { Member } from '../plan/processes.ts'

/** One life of a process. Times are Unix ms. */
export interface Life {
  readonly pid: number
  readonly startedAtMs: number
  /** When it said that it works; null when it never got that far. */
  readyAtMs: number | null
  endedAtMs: number | null
  exit: Exit | null
  /** Whether its end was our doing. */
  expected: boolean
}

/** A process of the cluster that is started again when it ends, as any supervisor does. */
export interface Supervised {
  readonly member: Member
  readonly lives: readonly Life[]
  /** The process that runs now, or ran last. */
  readonly pid: number
  readonly isUp: boolean
  /** Resolves when the process of now, or the next one, works. */
  up(): Promise<void>
  /** kill -9; started again after `awayMs`. Resolves when it works again. */
  kill(awayMs: number): Promise<void>
  /** SIGTERM, waits for its end, and starts it again after `awayMs`. Answers how it ended. */
  stop(awayMs: number): Promise<Exit>
  /** SIGTERM for good. */
  end(): Promise<Exit>
  /** kill -9 for good, if it still runs. */
  drop(): Promise<void>
}

/** What a supervisor waits before it starts what has ended by itself. */
const restartMs = 500
/** More than `server.shutdown_grace` and what Baton takes for closing on top: one that is still there hangs. */
const endPatienceMs = 20_000

/** The line that `src/main.ts` logs when a process works. */
const readyText = '"event":"process.started"'

export const supervise = (member: Member, start: () => Child): Supervised => {
  const lives: Life[] = []
  let ended = false
  let awayMs = restartMs
  let child!: Child
  let life!: Life
  let ready!: Promise<boolean>

  const launch = (): void => {
    child = start()
    const born: Life = {
      pid: child.pid,
      startedAtMs: Date.now(),
      readyAtMs: null,
      endedAtMs: null,
      exit: null,
      expected: false,
    }
    life = born
    lives.push(born)
    ready = child.printed(readyText, Number.POSITIVE_INFINITY).then(
      () => {
        born.readyAtMs = Date.now()
        return true
      },
      () => false,
    )
    void child.exited.then(async exit => {
      born.endedAtMs = Date.now()
      born.exit = exit
      if (ended) return
      await delay(awayMs)
      awayMs = restartMs
      if (!ended) launch()
    })
  }

  const up = async (): Promise<void> => {
    while (!ended && !(await ready)) await delay(50)
  }

  const terminate = async (): Promise<Exit> => {
    life.expected = true
    child.signal('SIGTERM')
    const timer = setTimeout(() => child.signal('SIGKILL'), endPatienceMs)
    const exit = await child.exited
    clearTimeout(timer)
    return exit
  }

  launch()
  return {
    member,
    lives,
    get pid() {
      return child.pid
    },
    get isUp() {
      return life.readyAtMs !== null && !child.hasExited()
    },
    up,
    kill: async away => {
      awayMs = away
      life.expected = true
      child.signal('SIGKILL')
      await child.exited
      await untilNew(lives, life)
      await up()
    },
    stop: async away => {
      awayMs = away
      const last = life
      const exit = await terminate()
      await untilNew(lives, last)
      await up()
      return exit
    },
    end: async () => {
      ended = true
      if (child.hasExited()) return child.exited
      return terminate()
    },
    drop: async () => {
      ended = true
      child.signal('SIGKILL')
      await child.exited
    },
  }
}

const untilNew = async (lives: readonly Life[], last: Life): Promise<void> => {
  while (lives.at(-1) === last) await delay(20)
}
