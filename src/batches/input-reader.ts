import type { BlobStore } from '../files/blobs/blob-store.ts'
import { readFile } from '../files/read-file.ts'
import type { Segment } from '../files/segment.ts'
import { type InputLine, type LinePosition, readLines } from './read-lines.ts'

/** Reads the next lines of a batch's input, from the first on that was not fed. */
export type ReadInput = (from: LinePosition) => Promise<readonly InputLine[]>

/** Read at a time: a stream held open while the window is full would be cut off by the store. */
const stretchLines = 200
const stretchBytes = 256 * 1024

export const createReadInput =
  (blobs: BlobStore, input: readonly Segment[], maxLineBytes: number): ReadInput =>
  async from => {
    const lines: InputLine[] = []
    const source = readFile(blobs, input, { start: from.offset, end: Number.POSITIVE_INFINITY })
    try {
      for await (const group of readLines(source, from, maxLineBytes)) {
        for (const line of group) lines.push(line)
        if (lines.length >= stretchLines || lines.at(-1)!.end - from.offset >= stretchBytes) break
      }
    } catch (error) {
      // What stands before the trouble is good; the next call meets it first.
      if (lines.length === 0) throw error
    }
    return lines
  }
