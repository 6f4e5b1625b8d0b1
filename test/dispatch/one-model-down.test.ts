import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

/** Models that answer 503. */
let down: Set<string>
let upstream: Server
let baton: BatonApi

beforeEach(async () => {
  down = new Set()
  upstream = createServer(async (request, response) => {
    const { model } = (await json(request)) as { model: string }
    response.writeHead(down.has(model) ? 503 : 200, { 'content-type': 'application/json' })
    const message = { role: 'assistant', content: model }
    response.end(JSON.stringify({ id: 'x', model, choices: [{ index: 0, message, finish_reason: 'stop' }] }))
  })
  await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  const at = { type: 'openai', base_url: `http://127.0.0.1:${port}/v1`, api_key: 'k', retries: 0 }
  const first = {
    ...at,
    breaker: { min_calls: 4, reset: '300ms', max_reset: '1s', window: '1s' },
    recovery: { ramp: '1s', step_interval: '1s' },
  }
  baton = await openBaton({
    level: 'api',
    config: {
      providers: { first, second: at },
      models: {
        large: { provider: 'first', fallback_to: 'spare' },
        small: { provider: 'first', fallback_to: 'spare' },
        spare: { provider: 'second' },
      },
    },
  })
})
afterEach(async () => {
  await baton.stop()
  upstream.closeAllConnections()
  upstream.close()
})

const stateOf = (circuit: string) => baton.context.circuits.of(circuit).state
/** Runs jobs, a few of each model, until something is so. Answers who answered the last of each. */
const run = async (isSo: () => boolean, models: readonly string[] = ['large', 'small']) =>
  until(async () => {
    const ids = await Promise.all([...models, ...models].map(model => baton.chat(model)))
    const jobs = await Promise.all(ids.map(baton.ended))
    return isSo() && jobs.map(job => job.attempts.at(-1)!.provider).slice(0, models.length)
  })
interface View {
  readonly state: string
  readonly entries: readonly object[]
  readonly events: readonly { readonly model: string | null; readonly state: string }[]
}
const view = async (): Promise<View> => {
  const { data } = (await (await fetch(`${baton.url}/v1/providers`)).json()) as { data: View[] }
  return data[0]!
}

describe('one model of a provider that is down', () => {
  it('is left alone, and comes back, while the other goes on', async () => {
    await run(() => true)
    down.add('large')
    // More than half of all calls fail.
    const most = ['large', 'small', ...Array(6).fill('large')]
    const answeredBy = await run(() => stateOf('first/large') === 'down', most)
    expect(answeredBy.slice(0, 2)).toEqual(['second', 'first'])
    expect(stateOf('first')).toBe('healthy')
    const { state, entries } = await view()
    expect(state).toBe('healthy')
    expect(entries).toMatchObject([{ scope: 'target:first/large' }])

    down.clear()
    await run(() => stateOf('first/large') === 'healthy')
    expect(stateOf('first')).toBe('healthy')
    expect(await run(() => true)).toEqual(['first', 'first'])
    const events = (await view()).events.map(event => `${event.model} ${event.state}`).toReversed()
    expect(events.slice(0, 2)).toEqual(['large down', 'large probing'])
    expect(events.slice(-2)).toEqual(['large recovering', 'large healthy'])
  })

  it('with the other is the whole provider, which then is one again', async () => {
    await run(() => true)
    down.add('large').add('small')
    await run(() => stateOf('first') !== 'healthy')
    down.clear()
    await run(() => stateOf('first') === 'healthy')
    expect([stateOf('first/large'), stateOf('first/small')]).toEqual(['healthy', 'healthy'])
  })

  it('that is the only one called is taken for the whole provider, as nothing speaks for it', async () => {
    down.add('large').add('small')
    await run(() => stateOf('first') !== 'healthy', ['large'])
    await until(() => stateOf('first/large') === 'healthy')
  })

  it('is not opened when the whole provider refuses connections', async () => {
    await run(() => true)
    const { port } = upstream.address() as AddressInfo
    upstream.closeAllConnections()
    await new Promise(resolve => upstream.close(resolve))
    const ids = await Promise.all(
      ['large', 'large', 'large', 'large', 'large', 'small'].map(m => baton.chat(m)),
    )
    await until(() => stateOf('first') !== 'healthy')
    expect([stateOf('first/large'), stateOf('first/small')]).toEqual(['healthy', 'healthy'])
    upstream.listen(port, '127.0.0.1')
    for (const id of ids) expect((await baton.ended(id)).status).toBe('succeeded')
  })
})
