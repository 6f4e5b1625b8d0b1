import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { BatonError } from '../../domain/errors.ts'
import type { Circuits } from '../../health/circuits.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import { writeJson } from '../../json/json-text.ts'
import { createRepeating, type RepeatingTask } from '../../lifecycle/repeating.ts'
import { isRedisTrouble } from '../../redis/trouble.ts'
import type { OperatorRead, OperatorReads } from './operator-reads.ts'
import type { ReadFollowed } from './page-follows.ts'
import { commonItems, eventOf, isListed, type PageItem, snapshotJson, troublesItem } from './page-items.ts'
import { createPageStream, type PageStream } from './page-stream.ts'
import type { PageTopics } from './page-topics.ts'

/** What all open pages of this process are told. */
export interface PageFeed {
  /** Ends once `isSignedIn` says no. Throws `too_many_pages`; rejects while Redis is away. */
  open(topics: PageTopics, isSignedIn?: IsSignedIn | null): Promise<Readable>
  readonly size: number
  /** Ends all, also those to come. Their pages come back, to another process. */
  end(): void
}

type IsSignedIn = () => Promise<boolean>

interface PageFeedOptions {
  readonly reads: OperatorReads
  readonly followed: ReadFollowed
  readonly circuits: Pick<Circuits, 'onChange'>
  readonly version: string
  /** Pages open at a time. */
  readonly mostPages: number
  readonly log: Logger
  readonly now: () => number
}

interface Page {
  readonly topics: PageTopics
  readonly stream: PageStream
  /** What it was told last, by the names of items; null before its snapshot. */
  told: Map<string, string> | null
  /** A look that had begun when it got its snapshot may be older than that. */
  toldInRound: number
  tickedAtMs: number
  /** Null for one that has no session. */
  readonly isSignedIn: IsSignedIn | null
  askedAtMs: number
}

const readEveryMs = 1_000
/** A change of a circuit is told at once, but no two reads are nearer than this. */
const leastPauseMs = 400
/** While nothing changes a tick says the time alone, so often. */
const quietMs = 3_000
/** A page that opens soon after a read gets that. */
const freshMs = 1_000
const retryAfterMs = 2_000
/** A page goes on for so long at most after its browser has signed out. */
const signedInForMs = 5_000

/** Tells a page what it does not know yet. */
const tellPage = (page: Page, items: readonly PageItem[], readAt: number, nowMs: number): void => {
  const { topics, stream, told } = page
  if (told === null) return
  const lists = new Map<PageItem['event'], string[]>()
  for (const item of items) {
    // What a slow page does not take is not told: it gets what is newest by then.
    if (!stream.isReady()) return
    const { event, name, text, json } = item
    if (told.get(name) === text || !item.concerns(topics)) continue
    told.set(name, text)
    if (isListed(event)) lists.set(event, [...(lists.get(event) ?? []), json])
    else stream.send(eventOf(event, json))
    if (event === 'tick') page.tickedAtMs = nowMs
  }
  for (const [event, rows] of lists) stream.send(eventOf(event, `[${rows.join(',')}]`))
  if (nowMs - page.tickedAtMs < quietMs) return
  page.tickedAtMs = nowMs
  stream.send(eventOf('tick', writeJson({ read_at: readAt })))
}

/**
 * While a page is open, Redis is read once a second for all that are, and each event is written out once for all that it concerns. Each
 * opening begins with a snapshot, and each page is told whatever differs from what it was told last: so no event need be kept, none can
 * be lost, and any process can go on for another.
 */
export const createPageFeed = (options: PageFeedOptions): PageFeed => {
  const { reads, followed, circuits, version, mostPages, log, now } = options
  const pages = new Set<Page>()
  let last: { readonly read: OperatorRead; readonly atMs: number } | null = null
  let reading: Promise<OperatorRead> | null = null
  let ticking: RepeatingTask | null = null
  let stopListening = (): void => undefined
  let rounds = 0
  let isEnding = false
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

  const look = async (): Promise<readonly PageItem[]> => {
    try {
      const fresh = await read()
      const topics = [...pages].map(page => page.topics)
      return [...commonItems(fresh), ...(await followed(topics, fresh.openBatches))]
    } catch (error) {
      if (!isRedisTrouble(error)) throw error
      awaySince ??= wholeSeconds(now())
      const about = { subject: null, since: awaySince, count: null, reason: 'away' }
      return [troublesItem([{ code: 'redis', level: 'bad', ...about }])]
    }
  }

  /** What cannot be asked is taken for granted: then Redis is away, and there is nothing to tell. */
  const endSignedOut = async (): Promise<void> => {
    const due = [...pages].filter(page => page.isSignedIn && now() - page.askedAtMs >= signedInForMs)
    await Promise.all(
      due.map(async page => {
        page.askedAtMs = now()
        if (!(await page.isSignedIn!().catch(() => true))) page.stream.end()
      }),
    )
  }

  const round = async (): Promise<void> => {
    await endSignedOut()
    const own = ++rounds
    const items = await look()
    for (const page of pages) if (page.toldInRound < own) tellPage(page, items, wholeSeconds(now()), now())
  }

  const begin = (): void => {
    const task = createRepeating('page feed', readEveryMs, round, log)
    ticking = task
    let isSoon = false
    stopListening = circuits.onChange(() => {
      if (isSoon) return
      isSoon = true
      setTimeout(() => {
        isSoon = false
        task.soon()
      }, leastPauseMs)
    })
    task.start()
  }
  const rest = (): void => {
    stopListening()
    void ticking?.stop()
    ticking = null
  }

  const greet = async (page: Page): Promise<void> => {
    const { topics, stream } = page
    const fresh = last !== null && now() - last.atMs < freshMs ? last.read : await read()
    const items = [...commonItems(fresh), ...(await followed([topics], fresh.openBatches))]
    stream.send(eventOf('hello', writeJson({ version, server_time: now() / 1_000 })))
    stream.send(eventOf('snapshot', snapshotJson(fresh, items, topics)))
    const isKnown = ({ event, concerns }: PageItem): boolean =>
      concerns(topics) && (topics.hasOverview || (event !== 'tick' && event !== 'troubles'))
    page.told = new Map(items.filter(isKnown).map(({ name, text }) => [name, text]))
    page.toldInRound = rounds
    page.tickedAtMs = now()
  }

  return {
    get size() {
      return pages.size
    },
    open: async (topics, isSignedIn = null) => {
      if (isEnding) throw new BatonError('shutting_down', 'This process is stopping.', { retryAfterMs })
      if (pages.size >= mostPages)
        throw new BatonError(
          'too_many_pages',
          `As many pages are open as \`ui.max_streams\` allows: ${mostPages}.`,
          { retryAfterMs },
        )
      const stream = createPageStream(() => {
        pages.delete(page)
        if (pages.size === 0) rest()
      })
      const page: Page = {
        ...{ topics, stream, told: null, toldInRound: 0, tickedAtMs: 0 },
        ...{ isSignedIn, askedAtMs: now() },
      }
      // A place is taken before anything is waited for.
      pages.add(page)
      if (ticking === null) begin()
      try {
        await greet(page)
      } catch (error) {
        stream.end()
        throw error
      }
      return stream.stream
    },
    end: () => {
      isEnding = true
      for (const { stream } of pages) stream.end()
    },
  }
}
