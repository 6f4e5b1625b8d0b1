import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runBaton } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { type Client, createClient } from './client.ts'
import { openRig, type Rig, submitted } from './rig.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const preload = new URL('../../chaos/cluster/other-clock.ts', import.meta.url).href
const minuteMs = 60_000
/** Longer than a process may have to wait for its turn on a busy machine. A call outlasts two leases. */
const lockMs = 4_000
const latencyMs = 2.5 * lockMs

let rig: Rig
let receiver: WebhookReceiver
const closing: (() => Promise<void>)[] = []
beforeEach(async () => {
  receiver = createWebhookReceiver({ secret })
  await receiver.start()
  rig = await openRig({
    scripts: ['fail-429-then-ok'],
    config: { jobs: { lease: `${lockMs}ms` }, webhooks: { secret, allowed_networks: ['127.0.0.0/8'] } },
  })
  rig.first.script({ latency: { kind: 'fixed', ms: latencyMs } })
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  await rig.close()
  await receiver.stop()
})

interface WrongClock {
  readonly baton: ReturnType<typeof runBaton>
  /** Sets the clock of its host, while it runs. */
  set(offMs: number): Promise<void>
}

let started = 0
const startOff = async (offMs: number, ...args: string[]): Promise<WrongClock> => {
  const file = join(rig.site.dir, `clock-${started++}`)
  const set = (ms: number): Promise<void> => writeFile(file, String(ms))
  await set(offMs)
  const env = { LOG_LEVEL: 'debug', NODE_OPTIONS: `--import ${preload}`, CLOCK_OFF_FILE: file }
  const baton = runBaton(args, { cwd: rig.site.dir, env })
  closing.push(() => baton.kill())
  await baton.logged('started')
  return { baton, set }
}

const submitAll = (client: Client, prefix: string, count = 6): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      submitted(client, { model: 'plain', user: `${prefix}-${i}`, webhook: { url: receiver.url } }),
    ),
  )

/** Each was called once, ended well, at a time that is true, and was told of once, in time by the receiver's clock. */
const expectNoHarm = async (ids: readonly string[], sinceMs: number): Promise<void> => {
  const jobs = await Promise.all(ids.map(id => rig.client.ended(id, minuteMs)))
  const spans = jobs.map(({ status, attempts, created_at, finished_at }) => ({
    status,
    attempts: attempts.map(({ verdict, reason }) => verdict ?? reason),
    isInTime: created_at >= sinceMs / 1_000 - 5 && finished_at! <= Date.now() / 1_000 + 5,
  }))
  expect(spans).toEqual(ids.map(() => ({ status: 'succeeded', attempts: ['ok'], isInTime: true })))
  expect(new Set(Object.values(rig.first.calls.identities))).toEqual(new Set([1]))
  await receiver.waitFor(deliveries => deliveries.length >= ids.length)
  await until(async () => {
    const views = await Promise.all(ids.map(id => rig.client.read(id)))
    return views.every(view => view.webhook?.status === 'delivered')
  })
  expect(receiver.deliveries).toHaveLength(ids.length)
  expect(receiver.deliveries.every(({ isVerified }) => isVerified)).toBe(true)
}

describe('hosts with wrong clocks', () => {
  it.each([
    ['ahead', 10 * minuteMs],
    ['behind', -10 * minuteMs],
  ])(
    'a process whose host’s clock is ten minutes %s takes nothing from others, whatever its role',
    async (_, offMs) => {
      const sinceMs = Date.now()
      const wrong = ['webhooks', 'batches', 'second'].map(role => startOff(offMs, 'worker', role))
      await Promise.all([rig.site.worker('first'), ...wrong])
      await expectNoHarm(await submitAll(rig.client, 'right'), sinceMs)
    },
  )

  it('an API and workers whose clocks all differ do their work as ever', async () => {
    const sinceMs = Date.now()
    const api = await startOff(-10 * minuteMs, 'api')
    await Promise.all([
      startOff(10 * minuteMs, 'worker', 'first'),
      startOff(-7 * minuteMs, 'worker', 'first'),
      startOff(4 * minuteMs, 'worker', 'webhooks'),
    ])
    const { url } = await api.baton.logged('api listening')
    const client = createClient(() => url as string)
    closing.push(() => client.close())
    const ids = await submitAll(client, 'wrong')
    await expectNoHarm(ids, sinceMs)
  })

  it('a clock that steps back and forth while its process works does nothing', async () => {
    const sinceMs = Date.now()
    const hosts = await Promise.all([
      startOff(0, 'worker', 'first'),
      startOff(0, 'worker', 'webhooks'),
      startOff(0, 'worker', 'first'),
    ])
    let isOver = false
    const stepping = (async () => {
      for (let step = 0; !isOver; step++) {
        await Promise.all(hosts.map(({ set }, i) => set((((step + i) % 3) - 1) * 10 * minuteMs)))
        // Longer than the process takes to see it.
        await delay(250)
      }
    })()
    await expectNoHarm(await submitAll(rig.client, 'stepped'), sinceMs).finally(() => {
      isOver = true
    })
    await stepping
  })

  it('a parked job goes on in time though the clock of every worker has stepped back meanwhile', async () => {
    rig.first.script({})
    const { set, baton } = await startOff(0, 'worker', 'first')
    const id = await submitted(rig.client, { model: 'fail-429-then-ok', user: 'parked' })
    await rig.client.reached(id, 'parked')
    await set(-10 * minuteMs)
    const job = await rig.client.ended(id, minuteMs)
    expect(job.attempts.map(({ verdict }) => verdict)).toEqual(['rate_limited', 'ok'])
    await baton.logged('clock of this host differs from that of Redis, and is not used')
  })
})
