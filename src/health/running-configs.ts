import type { ProcessHeartbeat } from './heartbeats.ts'

/** A config that live processes run on. */
export interface RunningConfig {
  /** As `versionOf` has it. */
  readonly config: string
  readonly processes: number
  /** Unix ms since when the first of them does. */
  readonly sinceMs: number
}

/** The youngest last. A process that still ends what it has begun under old terms, or is of before 0.2, does not count. */
export const runningConfigs = (processes: readonly ProcessHeartbeat[]): readonly RunningConfig[] =>
  [
    ...Map.groupBy(
      processes.filter(({ config, retiring }) => config !== undefined && !retiring),
      ({ config }) => config!,
    ),
  ]
    .map(([config, all]) => ({
      config,
      processes: all.length,
      sinceMs: Math.min(...all.map(({ openedAtMs = 0 }) => openedAtMs)),
    }))
    .toSorted((a, b) => a.sinceMs - b.sinceMs)

/** Longer than a reload, or a rolling update of some pods, as a rule takes. The alert waits as long. */
const patienceMs = 600_000

export interface ConfigsApart {
  /** Unix ms. */
  readonly sinceMs: number
  /** Which there are, for a person. */
  readonly reason: string
}

/** That processes have run on different configs for too long; null where they do not. */
export const configsApart = (processes: readonly ProcessHeartbeat[], nowMs: number): ConfigsApart | null => {
  const configs = runningConfigs(processes)
  // The youngest: processes that come later, on any of them, change nothing.
  const sinceMs = configs.at(-1)?.sinceMs ?? 0
  if (configs.length < 2 || nowMs - sinceMs < patienceMs) return null
  return { sinceMs, reason: describeConfigs(configs) }
}

/** `4f7b70461915 (2 processes), 99aa00461915 (1 process)`. */
export const describeConfigs = (configs: readonly RunningConfig[]): string =>
  configs
    .map(({ config, processes }) => `${config} (${processes === 1 ? '1 process' : `${processes} processes`})`)
    .join(', ')
