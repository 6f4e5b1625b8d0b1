import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createApi } from '../harness/api.ts'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { cpuMicrosOf } from '../harness/process-usage.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { createLoad } from './load.ts'
import type { SoakOptions } from './options.ts'
import { startReceiver } from './receiver.ts'
import { createSampler, type Sample } from './sampler.ts'

/** Short, so that what is kept stops growing early in a run of minutes. */
const retention = '30s'
/** For what is under way when the load ends. */
const lastWebhooksMs = 30_000

export interface SoakResult {
  readonly samples: readonly Sample[]
  readonly ledger: Ledger
  /** Each kind of thing that went wrong, and how often; empty after a good run. */
  readonly faults: ReadonlyMap<string, number>
  /** Shares of one processor, by process, with this one. */
  readonly processorShares: ReadonlyMap<string, number>
}

/** Puts a steady load on all roles as real processes, and looks at them all the while. `signal` ends it early. */
export const runSoak = async (
  options: SoakOptions,
  signal: AbortSignal,
  seen: (sample: Sample) => void = () => undefined,
): Promise<SoakResult> => {
  const results: SoakResult[] = []
  await withTestEnvironment(
    async environment => void results.push(await soakOn(environment, options, signal, seen)),
  )
  return results[0]!
}

/** Enough for every poll that hangs, at the rates that one machine takes. */
const connections = 512
/** More than the longest poll. */
const patienceMs = 70_000

const soakOn = async (
  environment: TestEnvironment,
  { durationMs, rate, sampleEveryMs }: SoakOptions,
  signal: AbortSignal,
  seen: (sample: Sample) => void,
): Promise<SoakResult> => {
  const ledger = createLedger()
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const receiver = await startReceiver(secret, ledger)
  environment.closing(receiver.stop)
  const cluster = await startCluster(environment, { secret, retention })
  const api = createApi(cluster.apiUrl, { connections, timeoutMs: patienceMs })
  environment.closing(api.close)

  const samples: Sample[] = []
  const ending = AbortSignal.any([signal, AbortSignal.timeout(durationMs)])
  const processorTime = await watchProcessorTime(environment, cluster)
  await Promise.all([
    createLoad({ api, ledger, rate, webhookUrl: receiver.url }).run(ending),
    createSampler(environment, cluster, ledger).run(sampleEveryMs, ending, sample => {
      samples.push(sample)
      seen(sample)
    }),
  ])
  const processorShares = await processorTime()
  await lastWebhooks(ledger)
  return { samples, ledger, faults: await faultsOf(ledger, cluster), processorShares }
}

/** Answers shares of one processor, from now until it is asked. */
const watchProcessorTime = async (environment: TestEnvironment, { watched }: Cluster) => {
  const pids: [string, number][] = [
    ...[...watched].map(([name, { pid }]): [string, number] => [name, pid]),
    ['Redis', environment.redisPid],
    ['load', process.pid],
  ]
  const look = () => Promise.all(pids.map(([, pid]) => cpuMicrosOf(pid).catch(() => Number.NaN)))
  const startedAt = performance.now()
  const before = await look()
  return async (): Promise<ReadonlyMap<string, number>> => {
    const after = await look()
    const micros = (performance.now() - startedAt) * 1_000
    return new Map(pids.map(([name], i) => [name, (after[i]! - before[i]!) / micros]))
  }
}

const lastWebhooks = async (ledger: Ledger): Promise<void> => {
  const endsAt = performance.now() + lastWebhooksMs
  while (ledger.webhooks.missing > 0 && performance.now() < endsAt) await delay(50)
}

const faultsOf = async (ledger: Ledger, cluster: Cluster): Promise<ReadonlyMap<string, number>> => {
  const faults = new Map(ledger.faults)
  for (const fault of await cluster.faults()) faults.set(fault, (faults.get(fault) ?? 0) + 1)
  const { missing } = ledger.webhooks
  if (missing > 0) faults.set('webhook: never came', missing)
  for (const [kind, { began, ended }] of Object.entries(ledger.counts)) {
    const known = [...ledger.faults].reduce((sum, [what, n]) => (what.startsWith(kind) ? sum + n : sum), 0)
    if (began !== ended + known) faults.set(`${kind}: lost without a word`, began - ended - known)
  }
  return faults
}
