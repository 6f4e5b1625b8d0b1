import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { type EventReader, readEvents, told } from '../api/event-stream.ts'
import { openRig, type Rig, submitted } from './rig.ts'

const throttled = 'throttle-60000ms'
const slow = 'slow-900ms'
const parking = 'throttle-50000ms'

let rig: Rig
beforeAll(async () => {
  rig = await openRig({
    scripts: [parking],
    routes: { [throttled]: { provider: 'first', fallback_to: slow }, [slow]: { provider: 'second' } },
  })
})
afterAll(() => rig.close())

const follow = async (id: string, headers?: Record<string, string>): Promise<EventReader> => {
  const { url } = await rig.api.logged('api listening')
  return readEvents({ url: url as string }, id, headers)
}

describe('a followed job', () => {
  it('a job is followed through a handover, from its submission to its end', async () => {
    const id = await submitted(rig.client, { model: throttled, user: 'story' })
    const reader = await follow(id)
    await until(() => reader.events.length === 1)
    await Promise.all(['first', 'second'].map(name => rig.site.worker(name)))
    await reader.ended
    const events = told(reader)
    expect(events[0]).toBe('job.queued 0')
    expect(events.slice(-2)).toEqual(['job.running 1', 'job.succeeded 2'])
    const { attempts, provider } = reader.events.at(-1)!.data
    expect(attempts).toMatchObject([
      { provider: 'first', verdict: 'rate_limited' },
      { provider: 'second', verdict: 'ok' },
    ])
    expect(provider).toBe('second')
    expect(reader.events.at(-1)!.data).toEqual(await rig.client.read(id))
  })

  it('a stream ends when its API is told to stop, and goes on from there in the next', async () => {
    const id = await submitted(rig.client, { model: parking, user: 'parked' })
    const reader = await follow(id)
    await until(() => reader.events.at(-1)?.event === 'job.parked')
    const startedMs = performance.now()
    rig.api.signal('SIGTERM')
    await reader.ended
    expect(await rig.api.exited).toEqual({ code: 0, signal: null })
    expect(performance.now() - startedMs).toBeLessThan(2_000)

    await rig.startApi()
    const again = await follow(id, { 'last-event-id': reader.events.at(-1)!.id })
    expect((await rig.client.cancel(id)).status).toBe(200)
    await again.ended
    expect(again.events.map(({ event }) => event)).toEqual(['job.cancelled'])
  })
})
