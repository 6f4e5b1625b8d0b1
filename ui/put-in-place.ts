import { globSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** What names others comes after them. */
const isIndex = (name: string): boolean => /(?:^|\/)index\.html/.test(name)

/**
 * Moves the files of a build over those of the one before, which may be served meanwhile: each is there at any time, and what the new build has no
 * more goes last. Removes the folder that they came from.
 */
export const putInPlace = (built: string, place: string): void => {
  const filesIn = (folder: string): string[] =>
    globSync('**/*', { cwd: folder, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
  const names = filesIn(built).toSorted((a, b) => Number(isIndex(a)) - Number(isIndex(b)))
  for (const name of names) {
    mkdirSync(dirname(join(place, name)), { recursive: true })
    renameSync(join(built, name), join(place, name))
  }
  const kept = new Set(names)
  for (const name of filesIn(place)) if (!kept.has(name)) rmSync(join(place, name), { force: true })
  rmSync(built, { recursive: true })
}
