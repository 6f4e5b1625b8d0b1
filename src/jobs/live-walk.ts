import type { JobClass, Priority } from '../domain/job.ts'
import { type Place, placeOf } from '../domain/place.ts'
import { eachInGroups } from '../redis/in-groups.ts'
import { shards } from '../redis/keys.ts'
import { timerHorizonMs } from './codec.ts'
import { parseDoorbell } from './doorbell.ts'
import { type Block, createLiveBlocks, type LiveBlocksDeps, type Round } from './live-blocks.ts'
import { parseTarget } from './record.ts'
import { jobScripts } from './scripts.ts'

/** Walks over the live jobs of all shards again and again, and passes by all that have ended. */
export interface LiveWalk {
  /** The next live jobs that the schedule will not wake. Of each shard it looks at up to `perShard` live jobs or so. */
  next(perShard: number): Promise<readonly Adrift[]>
  /** Another process walks now. */
  forget(): void
}

/** A live job that the schedule will not wake: its doorbell waits in a queue, or is lost. */
export interface Adrift {
  readonly id: string
  /** What should wait, and where: `''` is the queue of webhooks. Null where no queue has it: the worker of a job is lost, or a timer. */
  readonly bell: { readonly doorbell: string; readonly provider: string; readonly place: Place } | null
}

interface Spot {
  /** The first entry, as XRANGE takes it. */
  readonly from: string
  readonly ms: number
}

interface Page {
  readonly next: Spot
  readonly live: number
  readonly adrift: readonly Adrift[]
}

/** The words of one in the reply of `look`; `''` where a field has its default. */
type Words = readonly [id: string, doorbell: string, target: string, ...standing: string[]]
type Reply = readonly [last: string, counts: readonly (string | number)[], adrift: readonly Words[]]

const betweenWalksMs = 30_000
/** Jobs that one script looks at: a millisecond, and several where their records are in no cache. */
const pageSize = 100
/** At a time it goes through so many pages of jobs that have ended, or are not looked for. */
const mostPages = 20
/** Blocks that stand this near to each other are walked through in one go. */
const gapMs = 300_000

const spot = (ms: number): Spot => ({ from: String(ms), ms })
const after = (entry: string): Spot => ({ from: `(${entry}`, ms: Number(entry.split('-')[0]) })

const parseAdrift = ([id, doorbell, target, ...standing]: Words): Adrift => {
  if (doorbell === '') return { id, bell: null }
  const isWebhook = parseDoorbell(doorbell).kind === 'webhook'
  const [tenant, priority, jobClass, tokens] = standing
  const place = placeOf({
    tenant: tenant || 'default',
    priority: (priority || 'default') as Priority,
    class: (jobClass || 'default') as JobClass,
    tokens: Number(tokens),
    // It is looked for by its name: when it is due does not matter.
    ...{ createdAtMs: 0, expiresAtMs: 0 },
  })
  return { id, bell: { doorbell, provider: isWebhook ? '' : parseTarget(target).provider, place } }
}

const isOpen =
  ({ ms }: Spot) =>
  ({ count, found, toMs }: Block): boolean =>
    found < count && toMs > ms

const createShardWalk = (deps: LiveBlocksDeps, shard: number) => {
  const { run, keys, now } = deps
  const live = createLiveBlocks(deps, shard)
  let round: Round | null = null
  let at = spot(0)
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
    return { next: last === '' ? spot(toMs + 1) : after(last), live: sum, adrift: adrift.map(parseAdrift) }
  }

  return {
    next: async (limit: number): Promise<readonly Adrift[]> => {
      if (restsUntilMs > now()) return []
      const found: Adrift[] = []
      for (let pages = 0, seen = 0; pages < mostPages && seen < limit; pages++) {
        if (round === null) {
          round = await live.begin()
          at = spot(0)
        }
        const page = await look(round)
        if (page === null) {
          round = await live.end(round)
          at = spot(0)
          if (round !== null) continue
          restsUntilMs = now() + betweenWalksMs
          break
        }
        at = page.next
        seen += page.live
        found.push(...page.adrift)
      }
      return found
    },
    forget: () => {
      round = null
    },
  }
}

export const createLiveWalk = (deps: LiveBlocksDeps): LiveWalk => {
  const walks = shards.map(shard => createShardWalk(deps, shard))
  return {
    next: async perShard => (await eachInGroups(walks, walk => walk.next(perShard))).flat(),
    forget: () => {
      for (const walk of walks) walk.forget()
    },
  }
}
