import manifest from '../../../package.json' with { type: 'json' }
import type { Config } from '../../config/schema.ts'
import { resolveRoutes } from '../../domain/routing/chain.ts'
import { readProcesses, readWebhookWorkers, readWorkers } from '../../health/heartbeats.ts'
import { describeConfigs, type RunningConfig, runningConfigs } from '../../health/running-configs.ts'
import type { RedisClient } from '../../redis/connect.ts'
import { renderCount } from '../../terminal/format.ts'
import { type Finding, findingsOf } from './finding.ts'
import { clockOf } from './redis-findings.ts'

const { ok, warn, bad, skipped } = findingsOf('processes')

/** The processes that live, by their heartbeats: their versions, their clocks, and whether someone serves each queue. */
export const examineProcesses = async (
  redis: RedisClient,
  config: Config,
  nowMs: number,
): Promise<readonly Finding[]> => {
  const { prefix } = config.redis
  const [processes, workers, webhookWorkers] = await Promise.all([
    readProcesses(redis, prefix, nowMs),
    readWorkers(redis, prefix, nowMs),
    readWebhookWorkers(redis, prefix, nowMs),
  ])
  if (processes.length === 0)
    return [skipped('live', 'no process of Baton runs on this Redis', 'Start it: npm start.')]
  const clocks = processes
    .filter(({ hostOffMs }) => hostOffMs !== undefined)
    .map(({ instance, hostOffMs }) => clockOf(instance, hostOffMs!))
  return [
    versionFinding(processes.map(({ version }) => version ?? 'before 0.2')),
    ...configFindings(runningConfigs(processes)),
    ...clocks,
    ...servedFindings(
      config,
      workers.map(({ provider }) => provider),
    ),
    webhookWorkers.length > 0
      ? ok('webhooks', renderCount(webhookWorkers.length, 'worker'))
      : bad('webhooks', 'no worker delivers webhooks', 'Start one: npm run worker -- webhooks.'),
  ]
}

const versionFinding = (versions: readonly string[]): Finding => {
  const counts = [...Map.groupBy(versions, version => version)].map(([version, { length }]) => ({
    version,
    length,
  }))
  const text = counts.map(
    ({ version, length }) => `${version} (${length === 1 ? '1 process' : `${length} processes`})`,
  )
  if (counts.length === 1 && counts[0]!.version === manifest.version) return ok('versions', text.join(', '))
  const remedy =
    counts.length === 1
      ? `This command is ${manifest.version}: use the one of the running version.`
      : 'Fine during a rolling update. Otherwise restart those that are older.'
  return warn('versions', text.join(', '), remedy)
}

const configFindings = (configs: readonly RunningConfig[]): readonly Finding[] => {
  if (configs.length === 0) return []
  if (configs.length === 1) return [ok('configs', describeConfigs(configs))]
  const remedy = 'Give all of them the same file, then: POST /v1/admin/reload.'
  return [warn('configs', describeConfigs(configs), remedy)]
}

const servedFindings = (config: Config, served: readonly string[]): readonly Finding[] => {
  const wanted = new Set([...resolveRoutes(config).values()].flat().map(({ provider }) => provider))
  return [...wanted].map(provider => {
    const count = served.filter(name => name === provider).length
    return count > 0
      ? ok(provider, renderCount(count, 'worker'))
      : bad(provider, 'no worker serves its queue', `Start one: npm run worker -- ${provider}.`)
  })
}
