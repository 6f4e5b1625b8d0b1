import { once } from 'node:events'
import { open, rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { renderBytes } from '../terminal/format.ts'
import { type Frame, shownFromBytes } from '../terminal/screen.ts'
import { ApiUnavailable, withPatience } from './api-client.ts'
import type { BatchClient } from './batch-client.ts'
import { CommandError } from './command-io.ts'

/** What fetches files and shows how far it is. */
export interface FileWriter {
  readonly batches: Pick<BatchClient, 'content'>
  readonly signal: AbortSignal
  readonly show: (frame: Frame) => void
  /** What the files are, for the progress. */
  readonly what: string
}

/**
 * Downloads files into one, in order; an empty one where there are none. It stands under its name only when it is whole.
 *
 * @throws CommandError when it cannot be written.
 */
export const saveFiles = async (
  writer: FileWriter,
  fileIds: readonly string[],
  path: string,
): Promise<void> => {
  const part = `${path}.part`
  try {
    await using file = await open(part, 'w')
    await fetchFiles(writer, fileIds, async chunk => {
      await file.writeFile(chunk)
    })
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw isOfDisk(error) ? new CommandError(`${path} cannot be written (${error.code})`) : error
  }
}

/** The same to a stream, as fast as its reader takes it. */
export const writeFiles = (writer: FileWriter, fileIds: readonly string[], stream: Writable): Promise<void> =>
  fetchFiles(writer, fileIds, async chunk => {
    if (!stream.write(chunk)) await once(stream, 'drain', { signal: writer.signal })
  })

type Write = (chunk: Uint8Array) => Promise<void>

/** Each byte is written once: a download that broke off goes on behind what was written of it. */
const fetchFiles = async (writer: FileWriter, fileIds: readonly string[], write: Write): Promise<void> => {
  const { batches, signal, show, what } = writer
  for (const [i, id] of fileIds.entries()) {
    let done = 0
    let total = 0
    const fetchRest = async (): Promise<void> => {
      if (done > 0 && done === total) return
      const { body, headers } = await batches.content(id, done)
      total = done + Number(headers.get('content-length') ?? 0)
      for await (const chunk of readable(body!)) {
        await write(chunk)
        done += chunk.length
        const which = fileIds.length === 1 ? '' : ` ${i + 1} of ${fileIds.length}`
        const text = `fetching ${what}${which} · ${renderBytes(done)} of ${renderBytes(Math.max(done, total))}`
        if (total >= shownFromBytes)
          show({ share: total === 0 ? 0 : done / total, text, phase: `${what}${i}` })
      }
    }
    await withPatience(signal, fetchRest)
  }
}

/** A connection that breaks in the middle is an API that is away. */
async function* readable(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: Error) => {
        throw new ApiUnavailable(`the download broke off (${error.message})`, { cause: error })
      })
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

const isOfDisk = (error: unknown): error is NodeJS.ErrnoException =>
  typeof (error as NodeJS.ErrnoException).syscall === 'string' &&
  (error as NodeJS.ErrnoException).code !== 'EPIPE'
