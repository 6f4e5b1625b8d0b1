import type { StreamPosition } from '../../streams/stream-reader.ts'

const blankLine = '\n\n'
const pattern = /^([\w.-]{1,100})\.(\d{1,15})$/

/** Where the reader stands whose last event had this id; null for an id that is none of ours. */
export const positionOf = (eventId: string): StreamPosition | null => {
  const [, run, offset] = pattern.exec(eventId) ?? []
  return run === undefined ? null : { run, offset: Number(offset) }
}

export const eventIdAt = (run: string, offset: number): string => `${run}.${offset}`

/**
 * Gives every event of a stream the id by which its reader goes on behind it: the run, and the bytes up to there. An id for a group
 * would have a reader that is cut off within it get a part twice.
 */
export const createEventIds = (): ((bytes: Buffer, position: StreamPosition) => string) => {
  let rest: Buffer = Buffer.alloc(0)

  return (bytes, { run, offset }) => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    const start = offset - all.length
    let text = ''
    let at = 0
    for (let end = all.indexOf(blankLine); end !== -1; end = all.indexOf(blankLine, at)) {
      const next = end + blankLine.length
      text += `id: ${eventIdAt(run!, start + next)}\n${all.toString('utf8', at, next)}`
      at = next
    }
    rest = all.subarray(at)
    return text
  }
}
