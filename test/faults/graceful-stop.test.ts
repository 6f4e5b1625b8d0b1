import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { ownRedis } from '../support/redis.ts'
import { openRig, type Rig, type RigOptions, submitted } from './rig.ts'

const slow = 'slow-1000ms'
const clean = { code: 0, signal: null }

let rig: Rig
afterEach(() => rig.close())

/** A worker with one call under way. */
const workerMidCall = async (model: string, config: RigOptions['config'] = {}) => {
  rig = await openRig({ scripts: [slow, 'hang-then-ok'], config })
  const worker = await rig.site.worker('first')
  const id = await submitted(rig.client, { model, user: model })
  await until(() => rig.first.calls.calls === 1)
  return { worker, id }
}

describe('a graceful stop', () => {
  it('lets the call under way end when a worker is told to stop, takes no more jobs, and exits 0', async () => {
    const { worker, id } = await workerMidCall(slow)
    worker.signal('SIGTERM')
    await worker.logged('stopping')
    const late = await submitted(rig.client, { model: 'plain', user: 'late' })
    expect(await worker.exited).toEqual(clean)
    expect(await rig.client.read(id)).toMatchObject({ status: 'succeeded', attempts: [{ verdict: 'ok' }] })
    expect((await rig.client.read(late)).status).toBe('queued')
    expect(rig.first.calls.identities).toEqual({ [slow]: 1 })
    await rig.site.worker('first')
    expect((await rig.client.ended(late)).status).toBe('succeeded')
  })

  it('stops as ever when the signal comes again and again', async () => {
    const { worker, id } = await workerMidCall(slow)
    for (const signal of ['SIGTERM', 'SIGTERM', 'SIGINT'] as const) worker.signal(signal)
    await worker.logged('stopping')
    worker.signal('SIGTERM')
    expect(await worker.exited).toEqual(clean)
    expect(worker.lines.filter(line => line.msg === 'stopping')).toHaveLength(1)
    expect(await rig.client.read(id)).toMatchObject({ status: 'succeeded', attempts: [{ verdict: 'ok' }] })
  })

  it('hands back a call that outlasts the grace, at once, for another worker to make', async () => {
    const { worker, id } = await workerMidCall('hang-then-ok', {
      server: { port: 0, shutdown_grace: '300ms' },
      // Longer than the test: nobody may have to wait for the lock to run out.
      jobs: { lease: '1m' },
    })
    worker.signal('SIGTERM')
    expect(await worker.exited).toEqual(clean)
    expect(await rig.client.read(id)).toMatchObject({ status: 'queued' })
    expect(rig.first.calls.inFlight).toBe(0)
    await rig.site.worker('first')
    const job = await rig.client.ended(id)
    expect(job).toMatchObject({
      status: 'succeeded',
      attempts: [{ verdict: null, reason: 'shutdown', possibly_billed: true }, { verdict: 'ok' }],
    })
  })

  it('lets a waiting client have its answer when the process that does everything is told to stop', async () => {
    rig = await openRig({ scripts: [slow] })
    const all = rig.site.run()
    const { url } = await all.logged('api listening')
    await all.logged('started')
    const answer = fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: slow, messages: [{ role: 'user', content: 'hello' }] }),
    })
    await until(() => rig.first.calls.calls === 1)
    all.signal('SIGTERM')
    expect((await answer).status).toBe(200)
    expect(await all.exited).toEqual(clean)
  })

  it.each([
    ['a worker', ['worker', 'first']],
    ['the process that does everything', []],
  ] as const)('names the part of %s that did not close when Redis is silent for good', async (_, args) => {
    const redis = await ownRedis()
    try {
      rig = await openRig({
        redisUrl: redis.url,
        scripts: [slow],
        config: { server: { port: 0, shutdown_grace: '300ms' } },
      })
      const stuck = rig.site.run(...args)
      await stuck.logged('started')
      redis.freeze()
      stuck.signal('SIGTERM')
      expect(await stuck.exited).toEqual({ code: 1, signal: null })
      const [told] = stuck.lines.filter(line => line.event === 'process.exit_forced')
      expect(told).toMatchObject({
        level: 50,
        afterMs: 5_300,
        // Whichever of the parts that write to Redis is closed first: a table of their names would only tell their order.
        part: expect.stringMatching(/^[a-z]/),
        is: 'closing',
        forMs: expect.any(Number),
      })
      expect(told!.left).toContain('redis')
    } finally {
      redis.thaw()
      await rig.site.close()
      await redis.stop()
    }
  })

  it('exits 0 whenever during its start the signal comes', async () => {
    rig = await openRig()
    const startedAt = performance.now()
    const undisturbed = rig.site.run()
    await undisturbed.logged('started')
    const startMs = performance.now() - startedAt
    undisturbed.signal('SIGTERM')
    expect(await undisturbed.exited).toEqual(clean)

    let beforeFirstLine = 0
    for (let tenth = 0; tenth <= 12; tenth++) {
      const stopped = rig.site.run()
      await delay((startMs * tenth) / 10)
      stopped.signal('SIGTERM')
      const exit = await stopped.exited
      // Node itself needs about a third of a start until it runs the first line, and longer on a busy machine.
      const mayBeBySignal = stopped.output === '' && exit.signal !== null
      if (mayBeBySignal) beforeFirstLine += 1
      expect([exit, stopped.output]).toEqual([
        mayBeBySignal ? { code: null, signal: 'SIGTERM' } : clean,
        expect.not.stringMatching(/"level":[56]0/),
      ])
    }
    expect(beforeFirstLine).toBeLessThan(9)
  })
})
