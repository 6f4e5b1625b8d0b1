import { randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDir, onDisk, orNothing } from './disk-files.ts'

/** A temporary file that nobody wrote to for this long belongs to a process that died. */
const abandonedMs = 6 * 3_600_000

/** Where files are until they are whole. */
export interface Scratch {
  /** Gives a path for a new file, which is removed when `use` fails. */
  withFile<T>(name: string, use: (path: string) => Promise<T>): Promise<T>
  /** Removes the files of a name that begins like this, whoever writes them. */
  removeFiles(prefix: string): Promise<void>
  removeAbandoned(): Promise<void>
}

export const createScratch = (dir: string): Scratch => {
  const removeThose = async (isDue: (name: string) => Promise<boolean> | boolean): Promise<void> => {
    for (const name of await orNothing(readdir(dir), [])) {
      if (await isDue(name)) await rm(join(dir, name), { force: true })
    }
  }

  return {
    withFile: async (name, use) => {
      await onDisk(makeDir(dir))
      const path = join(dir, `${name}.${randomBytes(8).toString('hex')}`)
      try {
        return await use(path)
      } catch (error) {
        // What cannot be removed now is found by its age later.
        await rm(path, { force: true }).catch(() => undefined)
        throw error
      }
    },
    removeFiles: prefix => removeThose(name => name.startsWith(prefix)),
    removeAbandoned: async () => {
      const abandonedAt = Date.now() - abandonedMs
      await removeThose(async name => {
        const found = await orNothing(stat(join(dir, name)), null)
        return found !== null && found.mtimeMs < abandonedAt
      })
    },
  }
}
