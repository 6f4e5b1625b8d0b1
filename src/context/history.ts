import { countedWork } from '../health/counted-work.ts'
import { readProcesses, readWorkers } from '../health/heartbeats.ts'
import { type CostsByHour, createCostMeter, createHistory, createMinutes } from '../health/history.ts'
import { createUsage } from '../jobs/usage.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createRepeating } from '../lifecycle/repeating.ts'
import { providerQueue } from '../queue/doorbells.ts'
import type { Foundation } from './foundation.ts'
import type { TargetHealth } from './health.ts'
import type { Stores } from './stores.ts'

/** As often as processes say what they counted, and within what a turn lasts. */
const lookEveryMs = 2_000

/** Writes down each minute, in one process of all: which one, is decided anew when that falls silent. */
export const openHistory = async (
  life: Lifecycle,
  { config, redis, keys, hasTurn, log, now }: Foundation,
  { circuits }: Pick<TargetHealth, 'circuits'>,
  { doorbells }: Pick<Stores, 'doorbells'>,
): Promise<void> => {
  const { prefix } = config.redis
  const names = Object.keys(config.providers)
  const history = createHistory(redis, prefix)
  const usage = createUsage(redis, keys)
  let minutes = createMinutes()
  let costSince = createCostMeter()
  let hadTurn = false

  /** Of this hour and the last, to which ends of before the hour are added. */
  const costs = async (): Promise<CostsByHour> => {
    const hour = Math.floor(now() / 3_600_000)
    const sums = await usage.read(hour - 1, hour)
    const byHour = Map.groupBy(sums, sum => sum.hour)
    return new Map([...byHour].map(([of, all]) => [of, all.reduce((sum, { cost }) => sum + cost, 0)]))
  }

  const look = async (): Promise<void> => {
    const isOurs = await hasTurn('history')
    // What was seen before another had the turn is of other minutes.
    if (isOurs && !hadTurn) {
      minutes = createMinutes()
      costSince = createCostMeter()
      costSince(await costs())
    }
    hadTurn = isOurs
    if (!isOurs) return
    const [workers, processes, waiting] = await Promise.all([
      readWorkers(redis, prefix, now()),
      readProcesses(redis, prefix, now()),
      Promise.all(names.map(name => doorbells.waiting(providerQueue(name)))),
    ])
    const providers = names.map((name, i) => {
      const { state, pausedAtMs } = circuits.of(name)
      return { name, state: pausedAtMs > 0 ? 'paused' : state, waiting: waiting[i]! }
    })
    const row = minutes(now(), { counted: countedWork(workers, processes), providers })
    if (row !== null) await history.write({ ...row, cost_usd: costSince(await costs()) })
  }

  await life.open(
    'history',
    () => {
      const looking = createRepeating('history', lookEveryMs, look, log)
      looking.start()
      return looking
    },
    looking => looking.stop(),
  )
}
