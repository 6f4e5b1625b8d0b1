import type { Logger } from 'pino'
import type { Lifecycle } from './lifecycle.ts'
import { sameSignalMs } from './stop-signals.ts'

export interface StopProcessDeps {
  readonly life: Lifecycle
  /** After which the process ends, whatever is still open. */
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
