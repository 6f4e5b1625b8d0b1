import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHistory } from '../../../src/health/history.ts'
import { patience } from '../../support/patience.ts'
import { call, openTestApi, submitJob, type TestApi } from '../test-api.ts'
import { type OpenPage, openPage } from './page-events.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

describe('GET /v1/admin/overview', () => {
  it('says what waits and what is wrong', async () => {
    await submitJob(api)
    const read = async () => (await call(api, 'GET', '/v1/admin/overview')).json
    await expect.poll(async () => (await read()).waiting, patience).toBe(1)
    const overview = await read()
    expect(overview).toMatchObject({
      ...{ waiting: 1, running: 0, parked: 0, oldest_waiting_at: expect.any(Number) },
      ...{ cost_today_usd: 0, unpriced_today: 0, at_risk: [], actions: [] },
    })
    expect(overview.providers.openai).toMatchObject({ waiting: 1, running: 0 })
    // No worker runs in this test; the other provider needs none now.
    expect(overview.troubles).toMatchObject([
      { code: 'no_worker', level: 'bad', subject: 'openai', count: 1 },
    ])
  })
})

describe('GET /v1/admin/history', () => {
  it('shows the minutes that were written down', async () => {
    const history = createHistory(api.redis, api.prefix)
    const at = Math.floor(api.parts.now() / 60_000) * 60 - 120
    const rates = { accepted: 2, ended: 1, failed: 0, handovers: 0, waiting: 5 }
    await history.write({ at, ...rates, providers: { openai: [1, 0, 7, 5, 'down'] } })
    const ask = async (query: string) => (await call(api, 'GET', `/v1/admin/history?${query}`)).json
    // The API writes rows of its own where a minute ends meanwhile.
    expect(await ask(`to=${at}&series=waiting,provider:openai:state`)).toEqual({
      at: [at],
      series: { waiting: [5], 'provider:openai:state': ['down'] },
    })
    expect((await ask(`from=${at + 1}&to=${at + 59}`)).at).toEqual([])
    expect((await ask('from=soon')).error).toMatchObject({ code: 'invalid_request', param: 'from' })
  })
})

describe('GET /v1/admin/events', () => {
  it('begins with a snapshot of its topics, and goes on with what changes', async () => {
    await using page = await openPage(api.url, 'overview,providers')
    await expect.poll(() => page.count('tick'), patience).toBeGreaterThan(0)
    expect(page.events.slice(0, 2).map(({ event }) => event)).toEqual(['hello', 'snapshot'])
    const { overview, providers } = page.last('snapshot')
    expect(overview.waiting).toBe((await call(api, 'GET', '/v1/admin/overview')).json.waiting)
    expect(providers.map(({ name }: { name: string }) => name)).toEqual(['openai', 'anthropic'])
    await submitJob(api)
    await expect.poll(() => page.last('tick').waiting, patience).toBe(overview.waiting + 1)
  })

  it('tells of a pause to all pages whom it concerns, whoever made it', async () => {
    await using all = await openPage(api.url, 'providers')
    await using one = await openPage(api.url, 'provider:openai')
    await using other = await openPage(api.url, 'provider:anthropic')
    await call(api, 'POST', '/v1/providers/openai/pause')
    // Of another provider there may be news as well, before or after.
    const stateOn = (page: OpenPage) =>
      page.events.findLast(({ event, data }) => event === 'provider' && data.name === 'openai')?.data.state
    for (const page of [all, one]) {
      await expect.poll(() => stateOn(page), patience).toBe('paused')
      await expect
        .poll(() => page.last('troubles'), patience)
        .toContainEqual(
          expect.objectContaining({ code: 'provider_paused', subject: 'openai', level: 'hold' }),
        )
    }
    expect(other.last('snapshot').providers).toHaveLength(1)
    expect(other.events.filter(({ data }) => data.name === 'openai')).toEqual([])
    await call(api, 'POST', '/v1/providers/openai/resume')
    await expect.poll(() => stateOn(all), patience).toBe('healthy')
  })

  it('says the time alone while nothing changes', async () => {
    await using own = await openTestApi()
    await using page = await openPage(own.url, 'overview')
    await expect.poll(() => page.last('tick'), patience).toEqual({ read_at: expect.any(Number) })
  })

  it('does not know every topic', async () => {
    const answer = await call(api, 'GET', '/v1/admin/events?topics=weather')
    expect(answer).toMatchObject({
      status: 400,
      json: { error: { code: 'invalid_request', param: 'topics' } },
    })
  })

  it('ends when the process stops', async () => {
    await using own = await openTestApi()
    await using page = await openPage(own.url, 'overview')
    await own.stop()
    await page.ended
  })
})

describe('a page too many', () => {
  it('is answered 503, and served when another has left', async () => {
    await using own = await openTestApi()
    const pages = await Promise.all(Array.from({ length: 100 }, () => openPage(own.url, 'overview')))
    const ask = () => call(own, 'GET', '/v1/admin/events', { headers: { accept: 'text/event-stream' } })
    expect(await ask()).toMatchObject({ status: 503, json: { error: { code: 'too_many_pages' } } })
    await pages.pop()![Symbol.asyncDispose]()
    const again = async () =>
      openPage(own.url, 'overview').then(
        () => true,
        () => false,
      )
    await expect.poll(again, patience).toBe(true)
    await Promise.all(pages.map(page => page[Symbol.asyncDispose]()))
  })
})
