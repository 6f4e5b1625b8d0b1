import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import { CommandError } from '../command-io.ts'

const problems: Readonly<Record<string, string>> = {
  EACCES: 'this account may not write there',
  EPERM: 'this account may not write there',
  ENOTDIR: 'a part of that path is a file',
  EEXIST: 'a part of that path is a file',
  EROFS: 'that place cannot be written',
  ENOSPC: 'the disk is full',
}

/** Whole or not at all, also where the process dies in between. */
const writeWhole = async (path: string, text: string, mode: number): Promise<void> => {
  const beside = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const file = await open(beside, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw new CommandError(`${path} cannot be written: ${problems[code] ?? code}.`, { cause: error })
  }
}

export const configPath = (folder: string): string => join(folder, 'baton.yaml')
const dotenvPath = (folder: string): string => join(folder, '.env')

export const hasConfig = (folder: string): boolean => existsSync(configPath(folder))

/** The variables of the folder's `.env`; none where there is no such file. */
export const readDotenv = (folder: string): Readonly<Record<string, string | undefined>> => {
  const path = dotenvPath(folder)
  return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {}
}

/** A key has neither quotes nor line ends: see `headerSafeKey`. */
const line = (name: string, value: string): string =>
  `${name}=${/[#'"`\\$]/.test(value) ? `'${value}'` : value}\n`

/**
 * Writes the variables before the config that names them. What the `.env` says already stays as it is, with the lines around it; only the
 * account that runs this can read it.
 */
export const writeFiles = async (
  folder: string,
  config: string,
  variables: ReadonlyMap<string, string>,
): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw new CommandError(`${folder} cannot be made: ${problems[code] ?? code}.`, { cause: error })
  }
  const path = dotenvPath(folder)
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const known = readDotenv(folder)
  const added = [...variables].filter(([name]) => !known[name]).map(([name, value]) => line(name, value))
  const seam = before === '' || before.endsWith('\n') ? '' : '\n'
  await writeWhole(path, `${before}${seam}${added.join('')}`, 0o600)
  await writeWhole(configPath(folder), config, 0o644)
}

/** Whether git would take the `.env` along. */
export const isTracked = (folder: string): boolean => {
  let place = folder
  while (!existsSync(join(place, '.git'))) {
    const above = dirname(place)
    if (above === place) return false
    place = above
  }
  const ignored = join(place, '.gitignore')
  return !(existsSync(ignored) && /^\/?(?:\.env\*?|\*\.env)\s*$/m.test(readFileSync(ignored, 'utf8')))
}
