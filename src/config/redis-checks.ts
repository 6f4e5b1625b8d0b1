import type { Draft } from './draft.ts'
import type { Finding, Path } from './fault.ts'

type RedisDraft = Draft['redis']

const forms = ['url', 'sentinel', 'cluster'] as const

/** What is wrong with where Redis is said to be. */
export const redisFindings = (redis: RedisDraft): Finding[] => [
  ...formFindings(redis),
  ...nodeFindings('sentinel', redis.sentinel),
  ...nodeFindings('cluster', redis.cluster),
  ...replicaFindings(redis),
]

const relation = (path: Path, message: string, suggestion?: string): Finding => ({
  code: 'relation',
  path: ['redis', ...path],
  message,
  suggestion,
})

const setForms = (redis: RedisDraft) => forms.filter(form => redis[form] !== undefined)

const formFindings = (redis: RedisDraft): Finding[] => {
  const set = setForms(redis)
  if (set.length < 2) return []
  const names = `${set.slice(0, -1).join(', ')} and ${set.at(-1)}`
  // The first is what REDIS_URL sets: it must be seen where the fault comes from.
  return [relation([set[0]!], `${names} are ${set.length === 2 ? 'both' : 'all'} set; keep one`)]
}

const usualPorts = { sentinel: 26_379, cluster: 6_379 }

const wellFormed = /^([\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/
/** What is often written in place of `host:port`. Not with a password in it: that must not be shown. */
const nearlyFormed = /^(?:rediss?:\/\/)?([\w.-]+)(?::(\d{1,5}))?\/?$/

const nodeFindings = (form: keyof typeof usualPorts, section: RedisDraft['cluster']): Finding[] =>
  (section?.nodes ?? []).flatMap((node, index): Finding[] => {
    if (typeof node !== 'string') return []
    const port = wellFormed.exec(node)?.[2]
    if (port !== undefined && Number(port) > 0 && Number(port) < 65_536) return []
    const meant = nearlyFormed.exec(node)
    const suggestion = meant && port === undefined ? `${meant[1]}:${meant[2] ?? usualPorts[form]}` : undefined
    return [relation([form, 'nodes', index], 'expected host:port', suggestion)]
  })

const replicaFindings = (redis: RedisDraft): Finding[] =>
  (redis.wait_replicas ?? 0) > 0 && setForms(redis).length === 0
    ? [relation(['wait_replicas'], 'the private server has no replicas; name a Redis that has')]
    : []
