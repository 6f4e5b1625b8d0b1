import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'

/** Each script and the number of keys it takes; null where the call says. */
const scripts = {
  create: null,
  claim: null,
  advance: 2,
  park: 2,
  retry: 1,
  finalise: null,
  'end-without-answer': 3,
  recover: 2,
  take: 1,
  delivery: 4,
  redeliver: 3,
} as const satisfies Record<string, number | null>

export type ScriptName = keyof typeof scripts
export type ScriptArgument = string | number | Buffer

const source = (name: string): string => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8')

/** Runs one of the store's scripts: EVALSHA, with EVAL when Redis has forgotten it. */
export type RunScript = (name: ScriptName, args: readonly ScriptArgument[]) => Promise<unknown>

type Command = (...args: readonly ScriptArgument[]) => Promise<unknown>

export const createScriptRunner = (redis: Redis): RunScript => {
  const prelude = source('prelude')
  const commands = {} as Record<ScriptName, Command>
  for (const name of Object.keys(scripts) as ScriptName[]) {
    const command = `baton:${name}`
    redis.defineCommand(command, { lua: prelude + source(name), numberOfKeys: scripts[name] ?? undefined })
    commands[name] = (redis as unknown as Record<string, Command>)[command]!.bind(redis)
  }
  return (name, args) => commands[name](...args)
}
