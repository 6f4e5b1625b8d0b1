import { lineNumberOf } from '../redis/keys.ts'
import { readLines } from './read-lines.ts'

/** A flag for each request of a batch, the first at 1: a byte each, however many there are. */
export type Flags = Uint8Array

const start = { offset: 0, line: 0 }
/** Both files were held line by line when they were made or read before. */
const anyLength = Number.POSITIVE_INFINITY
/** As `renderLines` begins each line: the id is that of the request's job. */
const idPattern = /^\{"id":"batch_req_([0-9a-z]{26})"/
const idBytes = 64

/** Which of a batch's `total` requests are in its error file. Throws when that is not one of ours. */
export const failedLines = async (errorFile: AsyncIterable<Uint8Array>, total: number): Promise<Flags> => {
  const failed = new Uint8Array(total + 1)
  for await (const group of readLines(errorFile, start, anyLength)) {
    for (const { bytes, number } of group) {
      const core = idPattern.exec(bytes!.toString('latin1', 0, idBytes))?.[1]
      if (core === undefined) throw new Error(`line ${number} of the error file has no id`)
      failed[lineNumberOf(`job_${core}`)] = 1
    }
  }
  return failed
}

const newline = Buffer.from('\n')

/** The requests of an input file that are flagged, byte for byte, as a file of their own. */
export async function* pickLines(
  input: AsyncIterable<Uint8Array>,
  wanted: Flags,
): AsyncGenerator<Buffer, void> {
  let number = 0
  for await (const group of readLines(input, start, anyLength)) {
    const kept = group.flatMap(({ bytes }) => (wanted[++number] === 1 ? [bytes!, newline] : []))
    if (kept.length > 0) yield Buffer.concat(kept)
  }
}
