import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { openRig, type Rig, submitted } from './rig.ts'

const parking = 'throttle-60000ms'

let rig: Rig
beforeAll(async () => {
  rig = await openRig({ scripts: ['hang', parking] })
})
afterAll(() => rig.close())

const submitTo = (model: string) => submitted(rig.client, { model, user: model })

describe('cancelling through the API', () => {
  it('ends a queued job, which is then never called', async () => {
    const { client, first, site } = rig
    const id = await submitTo('plain')
    expect(await client.cancel(id)).toMatchObject({
      status: 200,
      body: { status: 'cancelled', error: { code: 'cancelled' }, attempts: [] },
    })
    // Its doorbell is ahead of this one's.
    await site.worker('first')
    const next = await submitted(client, { model: 'plain', user: 'next' })
    await client.ended(next)
    expect(first.calls.identities).toEqual({ next: 1 })
    expect((await client.read(id)).status).toBe('cancelled')
  })

  it('ends a parked job', async () => {
    const id = await submitTo(parking)
    expect((await rig.client.reached(id, 'parked')).resumes_at).toBeGreaterThan(Date.now() / 1_000 + 30)
    expect(await rig.client.cancel(id)).toMatchObject({
      status: 200,
      body: { status: 'cancelled', resumes_at: null },
    })
  })

  it('ends a job that runs in another process, and closes its call', async () => {
    const { client, first } = rig
    const id = await submitTo('hang')
    await client.reached(id, 'running')
    await until(() => first.calls.inFlight === 1)
    const { status, body } = await client.cancel(id)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'cancelled',
      attempts: [{ verdict: null, reason: 'cancelled', possibly_billed: true }],
    })
    await until(() => first.calls.inFlight === 0, 2_000)
    // Its worker knows best when the call began, and how long it took.
    const attempts = [
      { ...body.attempts[0]!, started_at: expect.any(Number), duration_ms: expect.any(Number) },
    ]
    expect(await client.read(id)).toEqual({ ...body, attempts })
  })

  it('may come twice, and changes nothing then', async () => {
    const { client } = rig
    const [job] = (await client.all()).filter(({ status }) => status === 'cancelled')
    const before = await client.read(job!.id)
    expect((await client.cancel(job!.id)).status).toBe(200)
    expect(await client.read(job!.id)).toEqual(before)
  })

  it('is refused for a job that has its answer', async () => {
    const { client } = rig
    const id = await submitTo('plain')
    const before = await client.ended(id)
    expect(await client.cancel(id)).toMatchObject({ status: 409, body: { error: { code: 'job_finished' } } })
    expect(await client.read(id)).toEqual(before)
  })
})
