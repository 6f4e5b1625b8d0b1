import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readJsonLine } from '../../src/batches/json-line.ts'
import {
  createReadInput,
  type InputLine,
  type LinePosition,
  readLines,
} from '../../src/batches/read-lines.ts'
import type { BlobStore } from '../../src/files/blobs/blob-store.ts'
import { createDiskBlobs } from '../../src/files/blobs/disk-blobs.ts'
import { readFile } from '../../src/files/read-file.ts'
import type { Segment } from '../../src/files/record.ts'
import { cuts, piecesOf } from '../batches/pieces.ts'
import { read } from '../batches/read-document.ts'
import { patienceMs, runs } from './runs.ts'

let dir: string
let blobs: BlobStore
let written = 0
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-fuzz-input-'))
  blobs = createDiskBlobs(dir)
})
afterAll(async () => {
  await blobs.close()
  await rm(dir, { recursive: true })
})

/** The bytes in blobs, cut at these places: as an upload in parts leaves them. */
const segmentsOf = async (bytes: Buffer, places: readonly number[]): Promise<Segment[]> => {
  const group = `file-${written++}`
  const segments: Segment[] = []
  for await (const piece of piecesOf(bytes, places)) {
    const key = `${group}/${segments.length}`
    segments.push({ key, ...(await blobs.write(key, piecesOf(piece))) })
  }
  return segments
}

const start: LinePosition = { offset: 0, line: 0 }
const shown = (lines: readonly InputLine[]) =>
  lines.map(({ number, end, bytes }) => [number, end, bytes?.toString('latin1') ?? null])

const wholeIn = async (bytes: Buffer, maxLineBytes: number): Promise<InputLine[]> =>
  (await Array.fromAsync(readLines(piecesOf(bytes), start, maxLineBytes))).flat()

/** More lines than are read at a time, among blank ones and too long ones. */
const line = fc.constantFrom('', ' ', 'a', 'bc', '{"a":1}', 'x'.repeat(40), '\r', 'é')
const file = fc
  .array(fc.tuple(line, fc.integer({ min: 1, max: 120 })), { maxLength: 12 })
  .map(stretches =>
    Buffer.from(stretches.flatMap(([text, times]) => Array(times).fill(`${text}\n`)).join('')),
  )
const places = fc.array(fc.nat(3_000), { maxLength: 4 })

describe('an input file, in any number of blobs', { timeout: patienceMs }, () => {
  it('is read to its end stretch by stretch, each line once', async () => {
    await fc.assert(
      fc.asyncProperty(file, places, fc.integer({ min: 1, max: 50 }), async (bytes, where, maxLineBytes) => {
        const readInput = createReadInput(blobs, await segmentsOf(bytes, where), maxLineBytes)
        const lines: InputLine[] = []
        for (let from = start; ; ) {
          const next = await readInput(from)
          if (next.length === 0) break
          lines.push(...next)
          from = { offset: next.at(-1)!.end, line: next.at(-1)!.number }
        }
        expect(shown(lines)).toEqual(shown(await wholeIn(bytes, maxLineBytes)))
      }),
      runs(40),
    )
  })

  it('has the same rest after any of its lines', async () => {
    await fc.assert(
      fc.asyncProperty(file, places, fc.nat(), async (bytes, where, which) => {
        const lines = await wholeIn(bytes, 50)
        if (lines.length === 0) return
        const at = which % lines.length
        const { end, number } = lines[at]!
        const readInput = createReadInput(blobs, await segmentsOf(bytes, where), 50)
        const next = await readInput({ offset: end, line: number })
        expect(shown(next)).toEqual(shown(lines.slice(at + 1, at + 1 + next.length)))
        expect(next.length > 0).toBe(at + 1 < lines.length)
      }),
      runs(40),
    )
  })

  it('gives the bytes of any range', async () => {
    const range = fc.tuple(fc.nat(60), fc.nat(60))
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 50 }), cuts, range, async (given, where, [a, b]) => {
        const bytes = Buffer.from(given)
        const segments = await segmentsOf(bytes, where.filter(place => place < bytes.length).slice(0, 4))
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        const chunks = await Array.fromAsync(readFile(blobs, segments, { start: from, end: to }))
        expect(Buffer.concat(chunks)).toEqual(bytes.subarray(from, to))
      }),
      runs(40),
    )
  })
})

describe("a message batch's document", { timeout: patienceMs }, () => {
  it('becomes lines that are read as the requests they were', async () => {
    const params = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 })
    await fc.assert(
      fc.asyncProperty(fc.array(params, { minLength: 1, maxLength: 5 }), cuts, async (given, where) => {
        const requests = given.map((one, i) => ({ custom_id: `row-${i}`, params: one }))
        const { text } = await read(JSON.stringify({ requests }, null, 1), { places: where })
        const lines = await wholeIn(Buffer.from(text), 100_000)
        expect(lines.map(({ number }) => number)).toEqual(requests.map((_, i) => i + 1))
        const readBack = lines.map(one => readJsonLine(one))
        expect(readBack.map(one => ('json' in one ? one.json : one))).toEqual(
          JSON.parse(JSON.stringify(requests)),
        )
      }),
      runs(300),
    )
  })
})
