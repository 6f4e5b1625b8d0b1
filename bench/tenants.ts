import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, printTable, whole } from '../harness/figures.ts'
import type { SimulatedProvider } from '../harness/simulated-provider.ts'
import { until } from '../harness/until.ts'
import type { CallEntry } from '../src/sim/call-journal.ts'
import { batonInput } from './support/deployment.ts'
import { type Loader, openLoader } from './support/load-queue.ts'
import { jobsOr } from './support/options.ts'
import { startBaton, startSim } from './support/processes.ts'

const usualJobs = 100_000
const few = 10
const places = 100
const latencyMs = 50
const patience = { timeoutMs: 300_000, everyMs: 200 }

/** Loads two tenants' jobs in turn, so that neither is done before the others have begun. */
const byTurns = 500

const callsOf = (calls: readonly CallEntry[], tenant: string): CallEntry[] =>
  calls.filter(({ identity }) => identity === tenant)

/** How long the jobs of `tenant` took, and how many calls for others began meanwhile; from a moment in Unix ms. */
const passing = async (sim: SimulatedProvider, loader: Loader, tenant: string) => {
  const fromMs = Date.now()
  await loader.load(few, { tenant })
  const done = async () => {
    const mine = callsOf(await sim.journal(), tenant).filter(({ endedAtMs }) => endedAtMs !== null)
    return mine.length === few && mine
  }
  const mine = await until(done, patience)
  const lastStartMs = Math.max(...mine.map(({ startedAtMs }) => startedAtMs))
  const others = (await sim.journal()).filter(
    ({ identity, startedAtMs }) => identity !== tenant && startedAtMs >= fromMs && startedAtMs <= lastStartMs,
  )
  return {
    seconds: (Math.max(...mine.map(({ endedAtMs }) => endedAtMs!)) - fromMs) / 1e3,
    others: others.length,
  }
}

/** A tenant with few jobs, alone and behind one with very many. */
const behindMany = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const sim = await startSim(environment, '--journal')
    await sim.behave({ latency: { kind: 'fixed', ms: latencyMs } })
    const input = batonInput(environment.redisUrl, sim.url, places)
    const loader = await openLoader(input)
    environment.closing(loader.close)
    const worker = await startBaton(environment, 'worker', input)
    await loader.load(few, { tenant: 'warm-up' })
    const alone = await passing(sim, loader, 'alone')
    worker.freeze()
    const many = jobsOr(usualJobs)
    await loader.load(many, { tenant: 'many' })
    worker.thaw()
    const before = await sim.calls()
    await until(async () => (await sim.calls()) >= before + 2 * places, patience)
    const behind = await passing(sim, loader, 'behind')
    printTable(
      [`a tenant's ${few} jobs`, 'seconds', 'calls of the other meanwhile'],
      [
        ['alone', fixed(alone.seconds, 2), ''],
        [`behind one with ${whole(many)}`, fixed(behind.seconds, 2), whole(behind.others)],
      ],
    )
  })

const weights = { a: 1, b: 2, c: 4 } as const
const tenants = Object.keys(weights) as (keyof typeof weights)[]
const weightSum = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
/** Of this many calls in a row the worst share is printed. */
const stretch = 700

/** A tenant's part of some calls, over the part that its weight gives it. */
const shareOf = (calls: readonly CallEntry[], tenant: keyof typeof weights): number =>
  callsOf(calls, tenant).length / calls.length / (weights[tenant] / weightSum)

const worstShareOf = (calls: readonly CallEntry[], tenant: keyof typeof weights): number => {
  let worst = 1
  for (let from = 0; from + stretch <= calls.length; from += stretch / 7) {
    const share = shareOf(calls.slice(from, from + stretch), tenant)
    if (Math.abs(share - 1) > Math.abs(worst - 1)) worst = share
  }
  return worst
}

/** Tenants of different weights, each with more jobs than its turn comes to. */
const byWeight = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const sim = await startSim(environment, '--journal')
    await sim.behave({ latency: { kind: 'fixed', ms: latencyMs } })
    const { redisUrl, config } = batonInput(environment.redisUrl, sim.url, places)
    const weighted = Object.fromEntries(tenants.map(tenant => [tenant, { weight: weights[tenant] }]))
    const input = { redisUrl, config: { ...config, tenants: weighted } }
    const loader = await openLoader(input)
    environment.closing(loader.close)
    const each = Math.ceil(jobsOr(usualJobs) / 10)
    for (let left = each; left > 0; left -= byTurns)
      for (const tenant of tenants) await loader.load(Math.min(byTurns, left), { tenant })
    await loader.allRung()
    const counted = Math.floor(each * 1.5)
    await startBaton(environment, 'worker', input)
    await until(async () => (await sim.calls()) >= counted, patience)
    const calls = (await sim.journal()).slice(0, counted)
    printTable(
      ['tenant', 'weight', `of ${whole(counted)} calls`, 'share to weight', `worst of ${stretch} in a row`],
      tenants.map(tenant => [
        tenant,
        whole(weights[tenant]),
        whole(callsOf(calls, tenant).length),
        fixed(shareOf(calls, tenant), 3),
        fixed(worstShareOf(calls, tenant), 3),
      ]),
    )
  })

/** What other tenants' jobs mean for one's own. */
export const tenantShares = async (): Promise<void> => {
  await behindMany()
  console.log()
  await byWeight()
}
