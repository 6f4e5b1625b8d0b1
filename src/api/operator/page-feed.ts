import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { BatonError } from '../../domain/errors.ts'
import type { Circuits } from '../../health/circuits.ts'
import type { Trouble } from '../../health/troubles.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import { writeJson } from '../../json/json-text.ts'
import { createRepeating, type RepeatingTask } from '../../lifecycle/repeating.ts'
import { isRedisTrouble } from '../../redis/trouble.ts'
import type { OperatorRead, OperatorReads } from './operator-reads.ts'
import { createPageStream, type PageStream } from './page-stream.ts'
import type { PageTopics } from './page-topics.ts'
import type { ActionView, PageEvents } from './views.ts'

/** What all open pages of this process are told. */
export interface PageFeed {
  /** Throws `too_many_pages`; rejects while Redis is away. */
  open(topics: PageTopics): Promise<Readable>
  readonly size: number
  /** Ends all, also those to come. Their pages come back, to another process. */
  end(): void
}

interface PageFeedOptions {
  readonly reads: OperatorReads
  readonly circuits: Pick<Circuits, 'onChange'>
  readonly version: string
  /** Pages open at a time. */
  readonly mostPages: number
  readonly log: Logger
  readonly now: () => number
}

interface Page {
  /** What comes before its snapshot is none of its concern. */
  hasSnapshot: boolean
  readonly topics: PageTopics
  readonly stream: PageStream
}

const readEveryMs = 1_000
/** A change of a circuit is told at once, but no two reads are nearer than this. */
const leastPauseMs = 400
/** While nothing changes a tick says the time alone, so often. */
const quietMs = 3_000
/** A page that opens soon after a read gets that. */
const freshMs = 1_000
const retryAfterMs = 2_000

type EventName = keyof PageEvents

const eventOf = <Name extends EventName>(name: Name, data: PageEvents[Name]): string =>
  `event: ${name}\ndata: ${writeJson(data)}\n\n`

/**
 * While a page is open, Redis is read once a second for all that are, and each event is written out once for all that it concerns. Each
 * opening begins with a snapshot, so no event need be kept, and any process can go on for another.
 */
export const createPageFeed = (options: PageFeedOptions): PageFeed => {
  const { reads, circuits, version, mostPages, log, now } = options
  const pages = new Set<Page>()
  const told = new Map<string, string>()
  let last: { readonly read: OperatorRead; readonly atMs: number } | null = null
  let reading: Promise<OperatorRead> | null = null
  let ticking: RepeatingTask | null = null
  let toldAtMs = 0
  let isEnding = false
  let actionsTold: readonly string[] | null = null
  let awaySince: number | null = null

  const read = (): Promise<OperatorRead> => {
    reading ??= reads
      .all()
      .then(fresh => {
        last = { read: fresh, atMs: now() }
        awaySince = null
        return fresh
      })
      .finally(() => {
        reading = null
      })
    return reading
  }

  const tell = (name: string, event: string, concerns: (topics: PageTopics) => boolean): void => {
    for (const { hasSnapshot, topics, stream } of pages)
      if (hasSnapshot && concerns(topics)) stream.offer(name, event)
  }
  /** Whether this differs from what was last told under that name. */
  const isNews = (name: string, text: string): boolean => {
    if (told.get(name) === text) return false
    told.set(name, text)
    return true
  }
  const everyPage = (): boolean => true

  const tellTroubles = (troubles: readonly Trouble[]): void => {
    if (isNews('troubles', writeJson(troubles))) tell('troubles', eventOf('troubles', troubles), everyPage)
  }

  /** Those that came since the last look; at the first, pages have them by their snapshot. */
  const tellActions = (newest: readonly ActionView[]): void => {
    const texts = newest.map(action => writeJson(action))
    const known = new Set(actionsTold ?? texts)
    actionsTold = texts
    const fresh = newest.filter((_, i) => !known.has(texts[i]!))
    for (const [i, action] of fresh.toReversed().entries())
      tell(`action ${i}`, eventOf('action', action), everyPage)
  }

  const tellAll = ({ figures: { tick }, overview, providers }: OperatorRead): void => {
    const { read_at, ...figures } = tick
    if (isNews('tick', writeJson(figures))) {
      toldAtMs = now()
      tell('tick', eventOf('tick', tick), everyPage)
    } else if (now() - toldAtMs >= quietMs) {
      toldAtMs = now()
      tell('tick', eventOf('tick', { read_at }), everyPage)
    }
    tellTroubles(overview.troubles)
    tellActions(overview.actions)
    for (const view of providers) {
      const { name } = view
      // The figures of all providers are in the ticks; a page of one shows its workers as well.
      const { workers, queue, rates, p95_ms, estimated_drain_at, limits, ...standing } = view
      const concernsList = isNews(`standing ${name}`, writeJson(standing))
      const concernsOne = isNews(`provider ${name}`, writeJson(view))
      if (!concernsOne) continue
      tell(`provider ${name}`, eventOf('provider', view), topics =>
        concernsList ? topics.hasProviders || topics.providers.has(name) : topics.providers.has(name),
      )
    }
  }

  const round = async (): Promise<void> => {
    try {
      tellAll(await read())
    } catch (error) {
      if (!isRedisTrouble(error)) throw error
      awaySince ??= wholeSeconds(now())
      const away: Trouble = {
        code: 'redis',
        level: 'bad',
        subject: null,
        since: awaySince,
        count: null,
        reason: 'away',
      }
      tellTroubles([away])
    }
  }

  const begin = (): void => {
    ticking = createRepeating('page feed', readEveryMs, round, log)
    let isSoon = false
    const task = ticking
    const forget = circuits.onChange(() => {
      if (isSoon) return
      isSoon = true
      setTimeout(() => {
        isSoon = false
        task.soon()
      }, leastPauseMs)
    })
    stopListening = forget
    ticking.start()
  }
  let stopListening = (): void => undefined
  const rest = (): void => {
    stopListening()
    void ticking?.stop()
    ticking = null
    told.clear()
    actionsTold = null
  }

  const snapshot = ({ overview, providers }: OperatorRead, topics: PageTopics): PageEvents['snapshot'] => ({
    ...(topics.hasOverview && { overview }),
    ...((topics.hasProviders || topics.providers.size > 0) && {
      providers: providers.filter(({ name }) => topics.hasProviders || topics.providers.has(name)),
    }),
  })

  return {
    get size() {
      return pages.size
    },
    open: async topics => {
      if (isEnding) throw new BatonError('shutting_down', 'This process is stopping.', { retryAfterMs })
      if (pages.size >= mostPages)
        throw new BatonError(
          'too_many_pages',
          `As many pages are open as \`ui.max_streams\` allows: ${mostPages}.`,
          { retryAfterMs },
        )
      const page: Page = {
        hasSnapshot: false,
        topics,
        stream: createPageStream(() => {
          pages.delete(page)
          if (pages.size === 0) rest()
        }),
      }
      // A place is taken before anything is waited for.
      pages.add(page)
      if (ticking === null) begin()
      try {
        const fresh = last !== null && now() - last.atMs < freshMs ? last.read : await read()
        page.stream.offer('hello', eventOf('hello', { version, server_time: now() / 1_000 }))
        page.stream.offer('snapshot', eventOf('snapshot', snapshot(fresh, topics)))
        page.hasSnapshot = true
      } catch (error) {
        page.stream.end()
        throw error
      }
      return page.stream.stream
    },
    end: () => {
      isEnding = true
      for (const { stream } of pages) stream.end()
    },
  }
}
