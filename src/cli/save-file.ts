import { createWriteStream } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ApiUnavailable, withPatience } from './api-client.ts'
import type { BatchClient } from './batch-client.ts'
import { CommandError } from './command-io.ts'

/**
 * Downloads a file; an empty one where there is none. It stands under its name only when it is whole. Throws
 * CommandError when it cannot be written.
 */
export const saveFile = async (
  batches: Pick<BatchClient, 'content'>,
  fileId: string | null,
  path: string,
  signal: AbortSignal,
): Promise<void> => {
  const part = `${path}.part`
  const download = async (): Promise<void> => {
    if (fileId === null) return writeFile(part, '')
    const content = await batches.content(fileId)
    await pipeline(Readable.fromWeb(content), createWriteStream(part), { signal })
  }
  try {
    await withPatience(signal, () => download().catch(asAway))
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw isOfDisk(error) ? new CommandError(`${path} cannot be written (${error.code})`) : error
  }
}

const isOfDisk = (error: unknown): error is NodeJS.ErrnoException =>
  typeof (error as NodeJS.ErrnoException).syscall === 'string' && 'path' in (error as object)

/** A connection that breaks in the middle is an API that is away. */
const asAway = (error: Error): never => {
  if (error instanceof CommandError || isOfDisk(error)) throw error
  throw new ApiUnavailable(`the download broke off (${error.message})`, { cause: error })
}
