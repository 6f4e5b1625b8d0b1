import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Verdict } from '../domain/classify/verdict.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import {
  type CallEnd,
  counted,
  emptyTally,
  figuresOf,
  type Tally,
  type TargetFigures,
} from '../domain/routing/target-stats.ts'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import { keyOf } from './target-order.ts'

/**
 * Recent speed and failures of targets, over all processes. Each process counts its own workers' calls and
 * exchanges them with the others every two seconds, so that a job costs no round trip. A killed process loses
 * what it counted since.
 */
export interface TargetStats extends Repeating {
  /**
   * Counts a judged attempt. Nothing is counted before `start`: without a strategy that needs figures it is
   * not called. `firstTokenMs`: of a call that was streamed; null for others, and where no content came.
   */
  record(target: RouteTarget, verdict: Verdict, durationMs: number, firstTokenMs: number | null): void
  of(target: RouteTarget): TargetFigures
}

export interface TargetStatsOptions {
  readonly redis: Redis | Cluster
  readonly prefix: string
  readonly instance: string
  readonly log: Logger
  readonly now: () => number
}

const shareEveryMs = 2_000
/** Many jobs in a moment need not reckon each for itself. */
const reckonedForMs = 50
/** By then nothing is left of them. */
const forgottenAfterMs = 15 * 60_000

type Tallies = Readonly<Record<string, Tally>>

/** What an attempt says about the target: its speed, or a failure. A caller's mistake says neither. */
const endOf = (verdict: Verdict, durationMs: number): CallEnd | null => {
  if (verdict.kind === 'ok') return durationMs
  if (verdict.kind === 'rate_limited') return 'throttled'
  return verdict.kind === 'transient' || verdict.kind === 'overloaded' ? 'failure' : null
}

export const createTargetStats = (options: TargetStatsOptions): TargetStats => {
  const { redis, prefix, instance, log, now } = options
  const key = `${prefix}:{health}:figures`
  const write = createOwedWrite(redis)
  const own = new Map<string, Tally>()
  let others: readonly Tallies[] = []
  let isOn = false
  let isChanged = false
  const reckoned = new Map<string, { readonly figures: TargetFigures; readonly atMs: number }>()

  const tell = async (): Promise<void> => {
    if (!isChanged) return
    isChanged = false
    await write('HSET', key, instance, JSON.stringify(Object.fromEntries(own)))
    await redis.pexpire(key, forgottenAfterMs)
  }

  const hear = async (): Promise<void> => {
    const entries = Object.entries(await redis.hgetall(key)).filter(([name]) => name !== instance)
    const told = entries.map(([name, text]) => ({ name, tallies: JSON.parse(text) as Tallies }))
    const isOld = ({ tallies }: { tallies: Tallies }): boolean =>
      Object.values(tallies).every(({ atMs }) => atMs + forgottenAfterMs < now())
    const old = told.filter(isOld).map(({ name }) => name)
    if (old.length > 0) await redis.hdel(key, ...old)
    others = told.map(({ tallies }) => tallies)
  }

  const share = createRepeating(
    'figures',
    shareEveryMs,
    async () => {
      await tell()
      await hear()
    },
    log,
  )

  return {
    start: () => {
      isOn = true
      share.start()
    },
    stop: share.stop,
    record: (target, verdict, durationMs, firstTokenMs) => {
      const end = isOn ? endOf(verdict, durationMs) : null
      if (end === null) return
      const name = keyOf(target)
      own.set(name, counted(own.get(name) ?? emptyTally, end, now(), firstTokenMs))
      isChanged = true
    },
    of: target => {
      const name = keyOf(target)
      const last = reckoned.get(name)
      if (last && now() - last.atMs < reckonedForMs) return last.figures
      const tallies = [own.get(name), ...others.map(tallies => tallies[name])]
      const figures = figuresOf(
        tallies.filter(tally => tally !== undefined),
        now(),
      )
      reckoned.set(name, { figures, atMs: now() })
      return figures
    },
  }
}
