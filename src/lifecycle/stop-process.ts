import type { Logger } from 'pino'
import type { Lifecycle } from './lifecycle.ts'

export interface StopProcessDeps {
  readonly life: Lifecycle
  /** The time after which the process ends, even with work still open. */
  readonly limitMs: number
  readonly log: Logger
  readonly exit: (code: number) => void
}

/**
 * What a signal does to a process: it closes what is open, and leaves in any case after a time. Asked again it goes on as it was, and
 * says what it waits for.
 */
export const createStopProcess = ({
  life,
  limitMs,
  log,
  exit,
}: StopProcessDeps): ((signal: string) => void) => {
  let askedAtMs: number | null = null

  /** Redis may be away for good: what could not be handed back is found by its lock running out. */
  const leave = (): void => {
    const resources = process.getActiveResourcesInfo()
    log.error(
      { event: 'process.exit_forced', afterMs: limitMs, ...(life.holdup ?? { part: null, resources }) },
      'not stopped in time: the process exits with what is still open',
    )
    exit(1)
  }

  return signal => {
    if (askedAtMs === null) {
      askedAtMs = performance.now()
      log.info({ event: 'process.stopping', signal }, 'stopping')
      setTimeout(leave, limitMs).unref()
      void life.stop()
      return
    }
    const sinceMs = performance.now() - askedAtMs
    if (sinceMs < sameSignalMs) return
    log.info(
      { event: 'process.still_stopping', signal, endsInMs: Math.round(limitMs - sinceMs), ...life.holdup },
      'still stopping',
    )
  }
}

/** A second signal within this is the first once more: a terminal sends it to the whole group, and npm passes it on. */
const sameSignalMs = 1_000

/** Calls `first` at the first signal that asks for an end, and `again` at those that are meant as another. */
export const onStopSignals = (first: (signal: NodeJS.Signals) => void, again: () => void): void => {
  let askedAtMs: number | null = null
  const ask = (signal: NodeJS.Signals): void => {
    if (askedAtMs === null) {
      askedAtMs = performance.now()
      first(signal)
    } else if (performance.now() - askedAtMs >= sameSignalMs) again()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, ask)
}
