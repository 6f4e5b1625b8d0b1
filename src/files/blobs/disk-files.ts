import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BlobStoreError } from './blob-store.ts'

const readBytes = 128 * 1024
/** Blobs hold prompts and answers: for the eyes of the user that Baton runs as. */
export const dirMode = 0o700
const fileMode = 0o600

export const diskErrorCode = (error: unknown): string =>
  String((error as NodeJS.ErrnoException).code ?? 'unknown')

/** The disk, what this user may have of it, or what a process may write. */
const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

export const onDisk = async <T>(operation: Promise<T>): Promise<T> => {
  try {
    return await operation
  } catch (error) {
    const code = diskErrorCode(error)
    throw new BlobStoreError(`the disk refused (${code})`, error, fullCodes.has(code))
  }
}

/** `fallback` when it is not there (any more): other processes work in the same directory. */
export const orNothing = async <T, F>(operation: Promise<T>, fallback: F): Promise<T | F> => {
  try {
    return await operation
  } catch (error) {
    if (diskErrorCode(error) === 'ENOENT') return fallback
    throw error
  }
}

/** Makes a directory that survives a loss of power: its name is in its parent, which is synced as well. */
export const makeDir = async (path: string): Promise<void> => {
  const first = await mkdir(path, { recursive: true, mode: dirMode })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncDir(dirname(made))
}

export const syncDir = async (path: string): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A new file with all that the source has, synced; answers its length. */
export const fillFile = async (path: string, source: AsyncIterable<Uint8Array>): Promise<number> => {
  const file = await onDisk(open(path, 'wx', fileMode))
  try {
    let bytes = 0
    for await (const chunk of source) {
      await onDisk(file.writeFile(chunk))
      bytes += chunk.byteLength
    }
    await onDisk(file.sync())
    return bytes
  } finally {
    await file.close()
  }
}

/** Throws `missing` when there is no such file. Closes it at the end, also at an early one. */
export async function* readFile(
  path: string,
  { start, end }: { readonly start: number; readonly end: number },
  missing: () => Error,
): AsyncGenerator<Uint8Array> {
  const file = await onDisk(orNothing(open(path, 'r'), null))
  if (file === null) throw missing()
  try {
    for (let position = start; position < end; ) {
      const length = Math.min(readBytes, end - position)
      const { bytesRead, buffer } = await onDisk(file.read(Buffer.allocUnsafe(length), 0, length, position))
      if (bytesRead === 0) return
      position += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}
