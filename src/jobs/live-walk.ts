import { shards } from '../redis/keys.ts'
import { timerHorizonMs } from './codec.ts'
import { type Block, createLiveBlocks, type LiveBlocksDeps, type Round } from './live-blocks.ts'
import { jobScripts } from './scripts.ts'

/** Walks over the live jobs of all shards again and again, and passes by all that have ended. */
export interface LiveWalk {
  /**
   * The next live jobs that the schedule will not wake: their doorbells wait at their queues, or are lost. Of each shard it
   * looks at up to `perShard` live jobs or so.
   */
  next(perShard: number): Promise<readonly string[]>
  /** Another process walks now. */
  forget(): void
}

interface Place {
  /** The first entry, as XRANGE takes it. */
  readonly from: string
  readonly ms: number
}

interface Page {
  readonly next: Place
  readonly live: number
  readonly adrift: readonly string[]
}

type Reply = readonly [last: string, counts: readonly (string | number)[], adrift: readonly string[]]

const betweenWalksMs = 30_000
const pageSize = 200
/** At a time it goes through so many pages of jobs that have ended, or are not looked for. */
const mostPages = 10
/** Blocks that stand this near to each other are walked through in one go. */
const gapMs = 300_000

const place = (ms: number): Place => ({ from: String(ms), ms })
const after = (entry: string): Place => ({ from: `(${entry}`, ms: Number(entry.split('-')[0]) })

const isOpen =
  ({ ms }: Place) =>
  ({ count, found, toMs }: Block): boolean =>
    found < count && toMs > ms

const createShardWalk = (deps: LiveBlocksDeps, shard: number) => {
  const { run, keys, now } = deps
  const live = createLiveBlocks(deps, shard)
  let round: Round | null = null
  let at = place(0)
  let restsUntilMs = 0

  /** Looks at the next page; null at the end of the round. */
  const look = async ({ blocks, before }: Round): Promise<Page | null> => {
    const open = blocks.filter(isOpen(at))
    if (open.length === 0) return null
    const firstMs = Math.max(at.ms, Math.min(...open.map(({ fromMs }) => fromMs)))
    const near = open.filter(({ fromMs }) => fromMs <= firstMs + gapMs)
    const toMs = Math.max(...near.map(block => block.toMs))
    // All of whom jobs may stand up to there: none of these is passed by.
    const among = open.filter(({ fromMs }) => fromMs <= toMs)
    const [last, counts, adrift] = (await run.packed(jobScripts.look, keys.schedule(shard), [
      firstMs > at.ms ? String(firstMs) : at.from,
      Number.isFinite(toMs) ? String(toMs) : '+',
      String(pageSize),
      String(now() + timerHorizonMs),
      before,
      among.map(({ name }) => name),
    ])) as Reply
    const found = new Map<string, number>()
    for (let i = 0; i < counts.length; i += 2) found.set(counts[i] as string, counts[i + 1] as number)
    for (const block of among) block.found += found.get(block.name) ?? 0
    const sum = [...found.values()].reduce((a, b) => a + b, 0)
    return { next: last === '' ? place(toMs + 1) : after(last), live: sum, adrift }
  }

  return {
    next: async (limit: number): Promise<readonly string[]> => {
      if (restsUntilMs > now()) return []
      const ids: string[] = []
      for (let pages = 0, seen = 0; pages < mostPages && seen < limit; pages++) {
        if (round === null) {
          round = await live.begin()
          at = place(0)
        }
        const page = await look(round)
        if (page === null) {
          round = await live.end(round)
          at = place(0)
          if (round !== null) continue
          restsUntilMs = now() + betweenWalksMs
          break
        }
        at = page.next
        seen += page.live
        ids.push(...page.adrift)
      }
      return ids
    },
    forget: () => {
      round = null
    },
  }
}

export const createLiveWalk = (deps: LiveBlocksDeps): LiveWalk => {
  const walks = shards.map(shard => createShardWalk(deps, shard))
  return {
    next: async perShard => (await Promise.all(walks.map(walk => walk.next(perShard)))).flat(),
    forget: () => {
      for (const walk of walks) walk.forget()
    },
  }
}
