import { type DestinationStream, pino } from 'pino'

/** What is longer is written before the turn ends. */
const mostHeldBytes = 16_000

const openTurnOutput = (): DestinationStream => {
  const stdout = pino.destination({ fd: 1, sync: true, minLength: mostHeldBytes })
  let isDue = false
  const flush = (): void => {
    isDue = false
    stdout.flushSync()
  }
  process.on('exit', flush)
  return {
    write: line => {
      stdout.write(line)
      if (isDue) return
      isDue = true
      setImmediate(flush)
    },
  }
}

let opened: DestinationStream | null = null

/**
 * Stdout, with one write for the lines of a turn of the event loop: a write for each took a tenth of the time of a worker whose
 * calls all fail. A process that ends by itself, or throws, writes all of them; one that is killed loses those of its last turn.
 */
export const turnOutput = (): DestinationStream => {
  opened ??= openTurnOutput()
  return opened
}
