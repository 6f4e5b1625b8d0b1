import { type DestinationStream, pino } from 'pino'

/** What is longer is written before the turn ends. */
const mostHeldChars = 16_000

const openTurnOutput = (): DestinationStream => {
  // Lines are held here and not by pino's stream, which would sync the disk whenever it is told to write what it holds: a worker
  // whose calls all fail spent a quarter of its time on that.
  const stdout = pino.destination({ fd: 1, sync: true })
  let held = ''
  let isDue = false
  const flush = (): void => {
    if (held === '') return
    const lines = held
    held = ''
    stdout.write(lines)
  }
  process.on('exit', flush)
  return {
    write: line => {
      held += line
      if (held.length >= mostHeldChars) flush()
      if (isDue) return
      isDue = true
      setImmediate(() => {
        isDue = false
        flush()
      })
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
