import { p95Of } from '../domain/routing/target-stats.ts'
import type { CountedBy, Counters, Rates } from '../telemetry/rates.ts'
import type { ProcessHeartbeat, WorkerHeartbeat } from './heartbeats.ts'

/** What a client's own request was to blame for, or nothing was judged of: these say nothing of the provider. */
const noFailures: ReadonlySet<string> = new Set([
  ...['ok', 'interrupted', 'too_long', 'refused', 'rejected', 'unsupported', 'untranslatable'],
])

/** The counters in all heartbeats, so that any process can tell how fast they grow. */
export const countedWork = (
  workers: readonly WorkerHeartbeat[],
  processes: readonly ProcessHeartbeat[],
): CountedBy => {
  const byProcess = processes.map(({ instance, accepted = 0, ends, passedOver = {} }): [string, Counters] => [
    instance,
    {
      ...{ accepted, ended: ends.cancelled + ends.expired, failed: ends.expired },
      ...Object.fromEntries(
        Object.entries(passedOver).map(([provider, count]) => [`passed_over:${provider}`, count]),
      ),
    },
  ])
  const byWorker = workers.map(({ provider, instance, counts }): [string, Counters] => {
    const name = `${provider}@${instance}`
    if (counts === undefined) return [name, {}]
    const { attempts, ends, handovers, took = {} } = counts
    const sumOf = (entries: readonly (readonly [string, number])[]): number =>
      entries.reduce((sum, [, count]) => sum + count, 0)
    const judged = Object.entries(attempts)
    const tookOf = Object.entries(took).map(([bucket, count]) => [`took:${provider}:${bucket}`, count])
    return [
      name,
      {
        ended: ends.succeeded + ends.failed,
        failed: ends.failed,
        handovers,
        [`attempts:${provider}`]: sumOf(judged),
        [`failures:${provider}`]: sumOf(judged.filter(([verdict]) => !noFailures.has(verdict))),
        ...Object.fromEntries(tookOf),
      },
    ]
  })
  return new Map([...byProcess, ...byWorker])
}

/** 19 of 20 of a provider's answers took no longer in the span of these rates, in ms; null without any. */
export const p95Within = (rates: Pick<Rates, 'growth'>, provider: string): number | null => {
  const counts = [...rates.growth(`took:${provider}:`)].map(
    ([bucket, count]) => [Number(bucket), count] as const,
  )
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  return total === 0 ? null : p95Of(new Map(counts), total)
}
