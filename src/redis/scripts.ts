import { readFileSync } from 'node:fs'
import type { Cluster, Redis } from 'ioredis'
import { Packr } from 'msgpackr'
import { holdWrites } from './hold-writes.ts'

/**
 * What a script does while Redis has more than its `maxmemory`.
 *
 * `refused`: it makes something new. Redis refuses its first write then, which must be one that takes memory, so that nothing
 * of it is there; what it only reads (that a request came before) it still answers.
 * `runs`: it ends, moves, expires, collects, delivers, or says that a process is alive. All that frees memory, or is owed to
 * what was accepted, so it may go over the limit.
 */
export type WhenFull = 'refused' | 'runs'

/**
 * Read by Redis 7.0 and later. A script with such a line may not touch keys of two slots of a Cluster, and is refused as a
 * whole where writes are (a replica, a full disk): neither matters here, as each of ours keeps to one slot.
 */
const runsLine = '#!lua flags=allow-oom\n'

export const scriptText = (lua: string, whenFull: WhenFull): string =>
  whenFull === 'runs' ? runsLine + lua : lua

interface Definition {
  /** The file of the script, `<room>/lua/<name>.lua`, or its text. A file may stand on others: see `withThose`. */
  readonly lua: URL | string
  /** A line before what the file has, for a variant of a script that has the same file. */
  readonly before?: string
  readonly whenFull: WhenFull
  /**
   * What it makes is confirmed to a client: resolves when replicas have it, where the config asks for that.
   */
  readonly confirmed?: boolean
  /** Only where the file does not name it: a variant, or a text. */
  readonly name?: string
}

export interface Script {
  /** How ioredis knows it: `jobs/claim`. */
  readonly name: string
  /** How many keys it takes. */
  readonly keys: number
  readonly whenFull: WhenFull
  readonly confirmed: boolean
  /** All that Redis is sent. */
  text(): string
}

/**
 * Serves many records of a shard at once. Only its first key is named, the others are derived from it. Its
 * message, an array of any depth, travels as one MessagePack argument, and the reply, again an array, comes
 * back as one: ioredis spends as much time on each argument as a packer on ten.
 */
export interface PackedScript extends Script {
  readonly keys: 1
  readonly packed: true
  /** Runs in its place while the store is full: finds what was made before, and makes nothing. */
  readonly whenStoreFull?: PackedScript
}

const nameOf = ({ lua, name }: Definition): string =>
  name ?? /([\w-]+)\/lua\/([\w-]+)\.lua$/.exec(String(lua))!.slice(1).join('/')

/** The first line of a file that uses local functions and values of others: `-- With: jobs/shard, jobs/leases`. */
const withLine = /^-- With: (.+)\n/

/** The files that a file stands on, each once and behind those that it stands on itself; then `before`, and the file. */
const withThose = (file: URL, before: string, seen = new Set<string>()): string => {
  const text = readFileSync(file, 'utf8')
  const names = withLine.exec(text)?.[1]?.split(', ') ?? []
  const those = names.map(name => new URL(`../../${name.replace('/', '/lua/')}.lua`, file))
  const missing = those.map(each => {
    if (seen.has(each.href)) return ''
    seen.add(each.href)
    return withThose(each, '', seen)
  })
  return missing.join('') + before + text
}

const define = (definition: Definition): Omit<Script, 'keys'> => ({
  name: nameOf(definition),
  whenFull: definition.whenFull,
  confirmed: definition.confirmed ?? false,
  text: () => {
    const { before = '', lua, whenFull } = definition
    return scriptText(typeof lua === 'string' ? before + lua : withThose(lua, before), whenFull)
  },
})

/** Declares a script of a room, beside its Lua. It is read when a connection first runs it. */
export const defineScript = ({ keys, ...definition }: Definition & { readonly keys: number }): Script => ({
  ...define(definition),
  keys,
})

/** Declares a script that takes and replies one packed array. */
export const definePackedScript = ({
  whenStoreFull,
  ...definition
}: Definition & { readonly whenStoreFull?: PackedScript }): PackedScript => ({
  ...define(definition),
  keys: 1,
  packed: true,
  ...(whenStoreFull && { whenStoreFull }),
})

export type ScriptArgument = string | number | Buffer

/** Runs scripts: EVALSHA, with EVAL when Redis has forgotten them. */
export interface RunScript {
  /** Keys first, then arguments. */
  (script: Script, args: readonly ScriptArgument[]): Promise<unknown>
  packed(script: PackedScript, key: string, message: readonly unknown[]): Promise<unknown>
}

type Command<Reply> = (...args: readonly ScriptArgument[]) => Promise<Reply>

export const createScriptRunner = (redis: Redis | Cluster): RunScript => {
  const known = new Map<Script, Command<unknown>>()
  const packr = new Packr({ useRecords: false })

  const commandOf = (script: Script, suffix: '' | 'Buffer'): Command<unknown> => {
    const command = known.get(script)
    if (command) return command
    const name = `baton:${script.name}`
    redis.defineCommand(name, { lua: script.text(), numberOfKeys: script.keys })
    const defined = (redis as unknown as Record<string, Command<unknown>>)[name + suffix]!.bind(redis)
    known.set(script, defined)
    return defined
  }

  const run = (script: Script, args: readonly ScriptArgument[]) => {
    holdWrites(redis)
    return commandOf(script, '')(...args)
  }
  return Object.assign(run, {
    packed: async (script: PackedScript, key: string, message: readonly unknown[]) => {
      holdWrites(redis)
      const reply = await commandOf(script, 'Buffer')(key, packr.pack(message))
      return packr.unpack(reply as Buffer) as unknown
    },
  })
}
