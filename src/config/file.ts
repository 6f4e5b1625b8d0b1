import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { ConfigError, type Fault, type Path } from './fault.ts'
import { otherFormat, syntaxMessage } from './syntax-words.ts'

/** Where a config comes from. */
export interface ConfigSources {
  /** Wins over BATON_CONFIG and ./baton.yaml. Relative to `cwd`. */
  readonly file?: string | undefined
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Variable {
  readonly value: string
  readonly source: 'environment' | '.env'
}

export type Lookup = (name: string) => Variable | null

/** A config file as written, before variables are put in. */
export interface ConfigFile {
  /** Absolute; null when there is none and the defaults stand alone. */
  readonly path: string | null
  readonly document: unknown
  /** The environment first, then the `.env` beside the file. */
  readonly lookup: Lookup
  /** The line (from 1) of a setting, or of the nearest one around it that stands in the file. */
  readonly lineOf: (path: Path) => number | undefined
}

/** Reads the file and the `.env` beside it. Throws ConfigError when either cannot be read or is not YAML. */
export const readConfigFile = ({ file, cwd, env }: ConfigSources): ConfigFile => {
  const path = locate(file ?? (env.BATON_CONFIG || undefined), cwd)
  const dotenvPath = join(path === null ? cwd : dirname(path), '.env')
  const dotenv = existsSync(dotenvPath) ? parseEnv(readText(dotenvPath)) : {}
  const lookup: Lookup = name => {
    // Empty counts as unset: container tools pass an unset variable as an empty one.
    const fromEnv = Object.hasOwn(env, name) ? env[name] : undefined
    if (fromEnv) return { value: fromEnv, source: 'environment' }
    const fromFile = Object.hasOwn(dotenv, name) ? dotenv[name] : undefined
    return fromFile ? { value: fromFile, source: '.env' } : null
  }
  return path === null
    ? { path, lookup, document: {}, lineOf: () => undefined }
    : { path, lookup, ...parseYaml(path, readText(path)) }
}

/** The files that a config is read from; none where the defaults stand alone. Throws as `readConfigFile` does. */
export const filesOf = (sources: ConfigSources): readonly string[] => {
  const { path } = readConfigFile(sources)
  return path === null ? [] : [path, join(dirname(path), '.env')]
}

const locate = (named: string | undefined, cwd: string): string | null => {
  if (named !== undefined) return resolve(cwd, named)
  const usual = join(cwd, 'baton.yaml')
  return existsSync(usual) ? usual : null
}

const readProblems: Record<string, string> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'this is a directory, not a file',
  EACCES: 'this process may not read the file',
}

/** Why a file cannot be read, in words. */
export const problemOf = (error: unknown): string => {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException
  return readProblems[code] ?? `cannot be read (${code})`
}

const readText = (path: string): string => {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new ConfigError(path, [{ code: 'unreadable', path: '', message: problemOf(cause) }], { cause })
  }
  // Windows' editors write it, and PowerShell's `>`.
  if (bytes[0] === 0xff || bytes[0] === 0xfe || bytes.includes(0)) {
    const message = 'this is no text in UTF-8 (UTF-16, perhaps): save it as UTF-8'
    throw new ConfigError(path, [{ code: 'unreadable', path: '', message }])
  }
  return bytes.toString('utf8')
}

const parseYaml = (path: string, text: string): Pick<ConfigFile, 'document' | 'lineOf'> => {
  const lineCounter = new LineCounter()
  // Pretty errors quote the source, and with it perhaps a key.
  const parsed = parseDocument(text, { lineCounter, prettyErrors: false, merge: true })
  const format = otherFormat(text)
  if (format !== null) throw new ConfigError(path, [{ code: 'syntax', path: '', message: format }])
  const lines = text.split('\n')
  const faults = parsed.errors.map(({ code, message, pos }): Fault => {
    const { line, col } = lineCounter.linePos(pos[0])
    const words = syntaxMessage(code, message, lines[line - 1] ?? '')
    return { code: 'syntax', path: '', message: words, line, column: col }
  })
  if (faults.length > 0) throw new ConfigError(path, faults)
  return { document: toPlain(path, parsed) ?? {}, lineOf: lineFinder(parsed, lineCounter) }
}

/** What follows the colon is a piece of the file, and may be a key. */
const withoutQuotedSource = (message: string): string => message.replace(/: .*$/s, '')

/** An alias without its anchor, or too many of them, only show when the document is turned into values. */
const toPlain = (path: string, parsed: Document.Parsed): unknown => {
  try {
    return parsed.toJS()
  } catch (error) {
    // Not kept as the cause: its message quotes the file, and loggers print causes.
    const message = withoutQuotedSource((error as ReferenceError).message)
    throw new ConfigError(path, [{ code: 'syntax', path: '', message }])
  }
}

const lineFinder =
  (parsed: Document.Parsed, lineCounter: LineCounter): ConfigFile['lineOf'] =>
  path => {
    let node: unknown = parsed.contents
    let offset: number | undefined
    for (const part of path) {
      if (isAlias(node)) node = node.resolve(parsed)
      const found = child(node, part)
      if (found === null) break
      offset = found.offset ?? offset
      node = found.value
    }
    return offset === undefined ? undefined : lineCounter.linePos(offset).line
  }

const child = (node: unknown, part: string | number): { offset?: number; value: unknown } | null => {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
    return pair && isScalar(pair.key) ? { offset: pair.key.range?.[0], value: pair.value } : null
  }
  if (isSeq(node) && typeof part === 'number' && part < node.items.length) {
    const value = node.items[part]
    const range = (value as { range?: [number, number, number] }).range
    return { offset: range?.[0], value }
  }
  return null
}
