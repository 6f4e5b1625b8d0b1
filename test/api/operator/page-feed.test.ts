import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OperatorRead } from '../../../src/api/operator/operator-reads.ts'
import { createOperatorReads } from '../../../src/api/operator/operator-reads.ts'
import { createPageFeed, type PageFeed } from '../../../src/api/operator/page-feed.ts'
import { parseTopics } from '../../../src/api/operator/page-topics.ts'
import { patience } from '../../support/patience.ts'
import { type Json, openTestApi, type TestApi } from '../test-api.ts'

let api: TestApi
let read: OperatorRead
beforeAll(async () => {
  api = await openTestApi()
  read = await createOperatorReads(api.parts).all()
})
afterAll(() => api[Symbol.asyncDispose]())

let aheadMs = 0

/** A feed that reads what the test says. */
const feedOf = (all: () => Promise<OperatorRead>): PageFeed =>
  createPageFeed({
    reads: {
      figures: async () => read.figures,
      providers: {
        ...{ modelsOf: new Map(), read: async () => [] },
        scaling: () => Promise.reject(new Error('no page asks for it')),
      },
      all,
    },
    followed: async () => [],
    circuits: { onChange: () => () => undefined },
    ...{ version: '1', mostPages: 10, log: pino({ level: 'silent' }), now: () => Date.now() + aheadMs },
  })

/** All that the page was told, as it comes. */
const openOn = async (feed: PageFeed, topics: string) => {
  const stream = await feed.open(parseTopics(topics))
  let text = ''
  stream.on('data', chunk => {
    text += chunk
  })
  const events = (name: string): Json[] =>
    [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].flatMap(([, event, data]) =>
      event === name ? [JSON.parse(data!)] : [],
    )
  return { events, [Symbol.dispose]: () => void stream.destroy() }
}

const paused = (openai: boolean): OperatorRead => ({
  ...read,
  providers: read.providers.map(view =>
    view.name === 'openai' && openai ? { ...view, state: 'paused' } : view,
  ),
})

describe('what pages are told', () => {
  it('is told to one whose snapshot was ahead of the others, when that is over', async () => {
    let isPaused = false
    const feed = feedOf(async () => paused(isPaused))
    using first = await openOn(feed, 'providers')
    await expect.poll(() => first.events('snapshot'), patience).toHaveLength(1)
    // Too late to share what was read: this page reads for itself, and sees a pause that is over at the next look of all.
    aheadMs += 2_000
    isPaused = true
    using second = await openOn(feed, 'providers')
    isPaused = false
    await expect.poll(() => second.events('snapshot')[0]?.providers[0].state, patience).toBe('paused')
    await expect.poll(() => second.events('provider').at(-1)?.state, patience).toBe(read.providers[0]!.state)
  })

  it('are actions since its own snapshot, also where that is of a page that has closed', async () => {
    const action = { at: 1, by: 'ada', action: 'provider.pause', subject: 'openai', note: null }
    let actions: readonly (typeof action)[] = []
    const feed = feedOf(async () => ({ ...read, overview: { ...read.overview, actions } }))
    const first = await openOn(feed, 'overview')
    first[Symbol.dispose]()
    await expect.poll(() => feed.size, patience).toBe(0)
    actions = [action]
    using second = await openOn(feed, 'overview')
    const known = () => [
      ...(second.events('snapshot')[0]?.overview.actions ?? []),
      ...second.events('action'),
    ]
    await expect.poll(known, patience).toEqual([action])
  })
})
