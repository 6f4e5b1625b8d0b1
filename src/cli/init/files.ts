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

/** What became of the variables in the `.env`. */
export interface Noted {
  readonly added: readonly string[]
  /** It has another value, which stays. */
  readonly different: readonly string[]
}

/**
 * Writes the variables before the config that names them. What the `.env` says already stays as it is, with the lines around it; only the
 * account that runs this can read it.
 */
export const writeFiles = async (
  folder: string,
  config: string,
  variables: ReadonlyMap<string, string>,
): Promise<Noted> => {
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw new CommandError(`${folder} cannot be made: ${problems[code] ?? code}.`, { cause: error })
  }
  const path = dotenvPath(folder)
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const known = readDotenv(folder)
  const added = [...variables].filter(([name]) => !known[name])
  const seam = before === '' || before.endsWith('\n') ? '' : '\n'
  const lines = added.map(([name, value]) => line(name, value))
  await writeWhole(path, `${before}${seam}${lines.join('')}`, 0o600)
  await writeWhole(configPath(folder), config, 0o644)
  const different = [...variables].filter(([name, value]) => known[name] && known[name] !== value)
  return { added: added.map(([name]) => name), different: different.map(([name]) => name) }
}

/** Whether git would take the `.env` along: in a repository, unless a `.gitignore` on the way to its root says otherwise. */
export const isTracked = (folder: string): boolean => {
  for (let place = folder; ; place = dirname(place)) {
    const ignored = join(place, '.gitignore')
    if (existsSync(ignored) && ignoresDotenv.test(readFileSync(ignored, 'utf8'))) return false
    if (existsSync(join(place, '.git'))) return true
    if (dirname(place) === place) return false
  }
}

const ignoresDotenv = /^(?:\/|\*\*\/)?(?:\.env\*?|\*\.env)\s*$/m
