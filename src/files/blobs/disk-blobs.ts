import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BlobNotFoundError, type BlobStore, BlobStoreError, checkGroup, parseBlobKey } from './blob-store.ts'
import { boundedSource } from './bounded-source.ts'
import { dirMode, diskErrorCode, fillFile, onDisk, orNothing, readFile, syncDir } from './disk-files.ts'
import { createScratch } from './scratch.ts'

const wholeFile = { start: 0, end: Number.POSITIVE_INFINITY }

/**
 * Blobs as files `<dir>/<group>/<name>`. A blob is written under `<dir>/.tmp` and moved to its name once its bytes are
 * synced, so that a name always stands for a whole blob. Processes on one machine, or on a shared file system, may use
 * the same directory.
 */
export const createDiskBlobs = (path: string): BlobStore => {
  const dir = resolve(path)
  const scratch = createScratch(join(dir, '.tmp'))
  const pathOf = (key: string): string => {
    const { group, name } = parseBlobKey(key)
    return join(dir, group, name)
  }

  const publish = async (temporary: string, target: string): Promise<void> => {
    await mkdir(dirname(target), { recursive: true, mode: dirMode })
    await rename(temporary, target)
    // The group's own name too: another write may have made it a moment ago.
    await Promise.all([syncDir(dirname(target)), syncDir(dir)])
  }

  return {
    write: async (key, source, options = {}) => {
      const { group, name } = parseBlobKey(key)
      return scratch.withFile(`${group}.${name}`, async temporary => {
        const bytes = await fillFile(temporary, boundedSource(source, options))
        options.signal?.throwIfAborted()
        await onDisk(publish(temporary, pathOf(key)))
        return { bytes }
      })
    },
    read: (key, range = wholeFile) => readFile(pathOf(key), range, () => new BlobNotFoundError(key)),
    remove: async key => {
      const target = pathOf(key)
      await onDisk(rm(target, { force: true }))
      await onDisk(orNothing(syncDir(dirname(target)), undefined))
    },
    removeGroup: async group => {
      checkGroup(group)
      // First what is still being written, which then fails, so that no blob of the group comes after this.
      await onDisk(scratch.removeFiles(`${group}.`))
      await onDisk(rm(join(dir, group), { recursive: true, force: true, maxRetries: 3 }))
      await onDisk(orNothing(syncDir(dir), undefined))
    },
    check: async () => {
      try {
        // The dot keeps it apart from the files of any group.
        await scratch.withFile('.check', async temporary => {
          await fillFile(temporary, probe())
          await rm(temporary)
        })
        await scratch.removeAbandoned()
      } catch (error) {
        const cause = error instanceof BlobStoreError ? error.cause : error
        throw new BlobStoreError(`the directory ${dir} cannot be written to (${diskErrorCode(cause)})`, cause)
      }
    },
    close: async () => undefined,
  }
}

async function* probe(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('Baton can write here.\n')
}
