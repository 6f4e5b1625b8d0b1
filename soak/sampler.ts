import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestEnvironment } from '../harness/environment.ts'
import { percentile } from '../harness/figures.ts'
import { residentBytes } from '../harness/signals.ts'
import type { Cluster } from './cluster.ts'
import type { Ledger } from './ledger.ts'
import type { Vitals } from './vitals.ts'

/** One look at everything. Figures that cannot be had at that moment are left out. */
export interface Sample {
  /** From the beginning of the load. */
  readonly atMs: number
  /** By the name of the figure, which ends in its unit. */
  readonly figures: Readonly<Record<string, number>>
}

const mega = 1e6

export const createSampler = (environment: TestEnvironment, cluster: Cluster, ledger: Ledger) => {
  const named = [...cluster.watched].map(([name, { pid }]) => [name, pid] as const)

  const processFigures = async (): Promise<[string, number][]> => {
    const resident = await residentBytes([...named.map(([, pid]) => pid), cluster.redisPid])
    const vitals = await Promise.all(named.map(([, pid]) => vitalsOf(environment.dir, pid)))
    return named.flatMap(([name, pid], i): [string, number][] => {
      const { heapUsedBytes = Number.NaN, loopDelayMs = Number.NaN } = vitals[i] ?? {}
      return [
        [`${name} RSS MB`, (resident.get(pid) ?? Number.NaN) / mega],
        [`${name} heap MB`, heapUsedBytes / mega],
        [`${name} loop p99 ms`, loopDelayMs],
      ]
    })
  }

  const redisFigures = async (): Promise<[string, number][]> => {
    const info = await environment.redis.info('memory')
    return [
      ['Redis MB', Number(/^used_memory:(\d+)/m.exec(info)![1]) / mega],
      ['Redis keys', await environment.redis.dbsize()],
    ]
  }

  const latencyFigures = (): [string, number][] => {
    const { submit, complete } = ledger.latencies()
    return [
      ...(submit.length > 0 ? quantiles('submit', submit) : []),
      ...(complete.length > 0 ? quantiles('job', complete) : []),
    ]
  }

  const look = async (): Promise<Readonly<Record<string, number>>> => {
    const found = [...(await processFigures()), ...(await redisFigures()), ...latencyFigures()]
    return Object.fromEntries(found.filter(([, value]) => Number.isFinite(value)))
  }

  return {
    /** Looks again and again until the signal. */
    run: async (everyMs: number, signal: AbortSignal, seen: (sample: Sample) => void): Promise<void> => {
      const startedAt = performance.now()
      while (!signal.aborted) {
        await delay(everyMs, undefined, { signal }).catch(() => undefined)
        if (!signal.aborted) seen({ figures: await look(), atMs: performance.now() - startedAt })
      }
    },
  }
}

const quantiles = (name: string, values: readonly number[]): [string, number][] =>
  [50, 99].map(percent => [`${name} p${percent} ms`, percentile(values, percent)])

/** Null in the first second of a process. */
const vitalsOf = async (dir: string, pid: number): Promise<Vitals | null> => {
  try {
    return JSON.parse(await readFile(join(dir, `vitals-${pid}.json`), 'utf8')) as Vitals
  } catch {
    return null
  }
}
