import { Cluster, type Redis } from 'ioredis'
import { parseInfo } from './preflight.ts'

/** What Redis spent on scripts since it started, of all that use it; in a Cluster, of all masters together. */
export interface ScriptTime {
  readonly calls: number
  readonly seconds: number
}

/** Redis counts a script under the command that ran it. */
const runs = ['cmdstat_eval', 'cmdstat_evalsha', 'cmdstat_eval_ro', 'cmdstat_evalsha_ro'] as const

/** Null while a connection is being made: ioredis forgets an INFO that it sends then when that breaks. */
export const readScriptTime = async (redis: Redis | Cluster): Promise<ScriptTime | null> => {
  const masters = redis instanceof Cluster ? redis.nodes('master') : [redis]
  if (masters.some(({ status }) => status === 'connect')) return null
  const all = await Promise.all(masters.map(async master => ofStats(await master.info('commandstats'))))
  return all.reduce((a, b) => ({ calls: a.calls + b.calls, seconds: a.seconds + b.seconds }), none)
}

const none: ScriptTime = { calls: 0, seconds: 0 }

/** `cmdstat_evalsha:calls=3,usec=712,usec_per_call=237.33,…` */
const ofStats = (text: string): ScriptTime => {
  const info = parseInfo(text)
  const stats = runs.map(name => new URLSearchParams(info.get(name)?.replaceAll(',', '&') ?? ''))
  const sumOf = (field: string): number => stats.reduce((sum, stat) => sum + Number(stat.get(field) ?? 0), 0)
  return { calls: sumOf('calls'), seconds: sumOf('usec') / 1e6 }
}
