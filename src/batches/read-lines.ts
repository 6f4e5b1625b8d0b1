import type { BlobStore } from '../files/blobs/blob-store.ts'
import { readFile } from '../files/read-file.ts'
import type { Segment } from '../files/record.ts'

/**
 * Bytes put together from pieces. Room is doubled when it runs out, so that each byte is copied a bounded number
 * of times however small the pieces are, and a source of tiny chunks costs no object per chunk.
 */
export class GrowingBytes {
  #bytes = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#bytes.length) {
      // Most lines are whole with their second piece, so no more is allocated before a third one comes.
      const grown = Buffer.allocUnsafeSlow(this.#length === 0 ? length : Math.max(length, this.#length * 2))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    this.#bytes.set(piece, this.#length)
    this.#length = length
  }

  /** Hands the bytes over and starts anew: nothing is written over what was handed over. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = Buffer.alloc(0)
    this.#length = 0
    return taken
  }
}

const mark = Buffer.from([0xef, 0xbb, 0xbf])

/** The source's bytes, as Buffers, without a byte order mark at their start, wherever its chunks are cut. */
export async function* withoutByteOrderMark(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  let start: Buffer | null = Buffer.alloc(0)
  for await (const chunk of source) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (start === null) {
      yield bytes
      continue
    }
    start = Buffer.concat([start, bytes])
    if (start.length < mark.length) continue
    yield withoutMark(start)
    start = null
  }
  if (start !== null) yield start
}

const withoutMark = (bytes: Buffer): Buffer =>
  bytes.subarray(0, mark.length).equals(mark) ? bytes.subarray(mark.length) : bytes

export interface InputLine {
  /** Physical line, counted from 1. */
  readonly number: number
  /** Byte offset just after its newline, or the end of the file: where reading can be taken up again. */
  readonly end: number
  /**
   * Without newline and CR; null when longer than the limit. A view on what was read: keep it and you keep that
   * too.
   */
  readonly bytes: Buffer | null
}

/** Where reading starts: a byte offset that is a line's start, and how many lines are before it. */
export interface LinePosition {
  readonly offset: number
  readonly line: number
}

const newline = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const tab = 0x09
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** What may still be taken off a line that is too long only by it. */
const strippedBytes = byteOrderMark.length + 1

/**
 * The lines of a JSONL file, in groups as they arrive. Lines of nothing but spaces are left out but counted, the
 * byte order mark of a file's first line is taken off, and the last line needs no newline. A line longer than
 * `maxLineBytes` is skipped without being held. `source` starts at `from.offset`; started again at any line's
 * `end` and `number`, the rest is the same. Rejects with the source's error only.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  from: LinePosition,
  maxLineBytes: number,
): AsyncGenerator<readonly InputLine[], void, undefined> {
  const splitter = new LineSplitter(from, maxLineBytes)
  for await (const chunk of source) {
    const lines = splitter.push(chunk)
    if (lines.length > 0) yield lines
  }
  const last = splitter.finish()
  if (last !== null) yield [last]
}

/**
 * between lines → in a line (its start is held) → too long (nothing is held until its newline) → between lines.
 */
class LineSplitter {
  readonly #maxLineBytes: number
  readonly #held = new GrowingBytes()
  #tooLong = false
  #start: number
  #offset: number
  #number: number

  constructor({ offset, line }: LinePosition, maxLineBytes: number) {
    this.#start = offset
    this.#offset = offset
    this.#number = line
    this.#maxLineBytes = maxLineBytes
  }

  push(chunk: Uint8Array): readonly InputLine[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const lines: InputLine[] = []
    let start = 0
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, start)) {
      const line = this.#endLine(bytes.subarray(start, at), at + 1 - start)
      if (line !== null) lines.push(line)
      start = at + 1
    }
    this.#offset += bytes.length - start
    this.#hold(bytes.subarray(start))
    return lines
  }

  finish(): InputLine | null {
    return this.#offset === this.#start ? null : this.#endLine(Buffer.alloc(0), 0)
  }

  #hold(piece: Buffer): void {
    if (this.#tooLong || piece.length === 0) return
    this.#held.append(piece)
    if (this.#held.length <= this.#maxLineBytes + strippedBytes) return
    this.#tooLong = true
    this.#held.take()
  }

  /** `taken` counts the newline too. Null for a blank line. */
  #endLine(piece: Buffer, taken: number): InputLine | null {
    this.#number += 1
    this.#offset += taken
    const bytes = this.#contentWith(piece)
    this.#start = this.#offset
    if (bytes !== null && isBlank(bytes)) return null
    return { number: this.#number, end: this.#offset, bytes }
  }

  #contentWith(piece: Buffer): Buffer | null {
    // A line within one chunk, which most are, is not copied.
    if (this.#held.length > 0) this.#hold(piece)
    if (this.#tooLong) {
      this.#tooLong = false
      return null
    }
    const bytes = this.#strip(this.#held.length > 0 ? this.#held.take() : piece)
    return bytes.length > this.#maxLineBytes ? null : bytes
  }

  #strip(bytes: Buffer): Buffer {
    const isFirst = this.#start === 0
    const from = isFirst && bytes.subarray(0, 3).equals(byteOrderMark) ? byteOrderMark.length : 0
    return bytes.subarray(from, bytes.at(-1) === carriageReturn ? -1 : bytes.length)
  }
}

const isBlank = (bytes: Buffer): boolean => {
  for (const byte of bytes) {
    if (byte !== space && byte !== tab && byte !== carriageReturn) return false
  }
  return true
}

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
