import { readFileSync } from 'node:fs'
import type { Cluster, Redis } from 'ioredis'
import { Packr } from 'msgpackr'
import { scriptText, type WhenFull } from './when-full.ts'

/** Each script and the number of keys it takes. */
const scripts = {
  retry: 1,
  account: 1,
  'end-without-answer': 3,
  recover: 2,
  isolate: 1,
  'pass-on': 2,
  take: 1,
  redeliver: 2,
  'recover-delivery': 2,
  'look-owed': 2,
  'file-reserve': 2,
  'file-create': 3,
  'file-remove': 2,
  'upload-create': 2,
  'upload-part': 2,
  'upload-complete': 5,
  'upload-cancel': 2,
  'purge-take': 2,
  'purge-done': 3,
  'quota-hold': 2,
  'quota-free': 2,
  'quota-admit': 1,
  'batch-create': 4,
  'batch-cancel': 1,
  'batch-remove': 4,
  'batch-lease': 2,
  'batch-step': 1,
  'batch-block': 2,
  'batch-end': 10,
} as const satisfies Record<string, number>

/** Those that make something new. All others end, move, expire, collect or deliver what was accepted, or what was begun. */
const making: ReadonlySet<string> = new Set<ScriptName | PackedScriptName>([
  'create',
  'batch-create',
  'batch-feed',
  'file-reserve',
  'upload-create',
])

export const whenFull = (name: ScriptName | PackedScriptName): WhenFull =>
  making.has(name) ? 'refused' : 'runs'

/** Scripts that serve many jobs of a shard at once. Of their keys only the first is named: the shard's schedule, or what is their batch's. */
const packedScripts = [
  'create',
  'create-known',
  'claim',
  'renew',
  'move',
  'finalise',
  'take-delivery',
  'delivery',
  'hold-delivery',
  'batch-feed',
  'batch-pass',
  'batch-peek',
  'batch-collect',
] as const

export type ScriptName = keyof typeof scripts
export type PackedScriptName = (typeof packedScripts)[number]
export type ScriptArgument = string | number | Buffer

/** Two that run when Redis is full have the text of one that does not: jobs that a key names are found, lines that become no jobs pass. */
const texts: Partial<Record<string, readonly [before: string, name: string]>> = {
  'create-known': ['MAKES_NONE = true\n', 'create'],
  'batch-pass': ['', 'batch-feed'],
}

const ofWebhooks = new Set([
  'delivery',
  'hold-delivery',
  'take-delivery',
  'redeliver',
  'recover-delivery',
  'look-owed',
])

const fileOf = (name: string): string => {
  if (name.startsWith('batch-')) return `batches/lua/${name.slice('batch-'.length)}`
  if (/^(?:file|upload|purge|quota)-/.test(name)) return `files/lua/${name}`
  return ofWebhooks.has(name) ? `webhooks/lua/${name}` : `jobs/lua/${name}`
}

const source = (script: string): string => {
  const [before, name] = texts[script] ?? ['', script]
  return before + readFileSync(new URL(`../${fileOf(name)}.lua`, import.meta.url), 'utf8')
}

/** Runs the store's scripts: EVALSHA, with EVAL when Redis has forgotten it. */
export interface RunScript {
  (name: ScriptName, args: readonly ScriptArgument[]): Promise<unknown>
  /**
   * `words`, an array of any depth, travels as one MessagePack argument, and the reply, again an array, comes back as
   * one: ioredis spends as much time on each word it writes as a packer on ten.
   */
  packed(name: PackedScriptName, key: string, words: readonly unknown[]): Promise<unknown>
}

type Command<Reply> = (...args: readonly ScriptArgument[]) => Promise<Reply>

export const createScriptRunner = (redis: Redis | Cluster): RunScript => {
  const prelude = source('prelude')
  const commands = redis as unknown as Record<string, Command<unknown>>
  const define = (name: ScriptName | PackedScriptName, numberOfKeys: number): string => {
    const command = `baton:${name}`
    redis.defineCommand(command, { lua: scriptText(prelude + source(name), whenFull(name)), numberOfKeys })
    return command
  }
  const plain = Object.fromEntries(
    (Object.entries(scripts) as [ScriptName, number][]).map(([name, keys]) => [
      name,
      commands[define(name, keys)]!.bind(redis),
    ]),
  )
  const packing = Object.fromEntries(
    packedScripts.map(name => [name, commands[`${define(name, 1)}Buffer`]!.bind(redis)]),
  ) as Record<PackedScriptName, Command<Buffer>>
  const packr = new Packr({ useRecords: false })

  const run = (name: ScriptName, args: readonly ScriptArgument[]) => plain[name]!(...args)
  return Object.assign(run, {
    packed: async (name: PackedScriptName, key: string, words: readonly unknown[]) =>
      packr.unpack(await packing[name](key, packr.pack(words))) as unknown,
  })
}
