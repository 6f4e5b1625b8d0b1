import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { runIn } from '../cli/run-in-folder.ts'
import { openRig, type Rig, submitted } from './rig.ts'

const missingAfterMs = 8_000

let rig: Rig
beforeAll(async () => {
  rig = await openRig({
    config: { jobs: { lease: '10s', worker_missing_after: '8s' } },
    routes: { back: { provider: 'second', fallback_to: 'plain' } },
  })
})
afterAll(() => rig.close())

const get = async (path: string) => (await fetch(rig.apiUrl + path)).json()
const ready = async () => {
  const answer = await fetch(`${rig.apiUrl}/readyz`)
  return [answer.status, await answer.json()]
}
const status = async () => {
  const { exitCode, out } = await runIn({}, 'status', { BATON_URL: rig.apiUrl })
  return { exitCode, out }
}
const withoutWorker = (name: string, is: boolean) =>
  until(async () => {
    const { data } = (await get('/v1/providers')) as {
      data: { name: string; without_worker_since: number | null }[]
    }
    return (data.find(provider => provider.name === name)!.without_worker_since !== null) === is
  }, 60_000)

// Processes start, and are missed by the clock.
describe('a provider whose only worker was killed', { timeout: 120_000 }, () => {
  it('has its jobs answered by the next target, those that wait there and new ones; the others wait for a worker', async () => {
    const { site, client, first, second } = rig
    await site.worker('second')
    const only = await site.worker('first')
    // Workers that come late are missed until they do.
    await withoutWorker('first', false)
    await withoutWorker('second', false)
    const before = await submitted(client, { model: 'chain', user: 'before' })
    expect((await client.ended(before)).provider).toBe('first')
    expect((await status()).exitCode).toBe(0)
    first.script({ latency: { kind: 'fixed', ms: 600_000 } })
    const running = await submitted(client, { model: 'chain', user: 'running' })
    await until(() => first.calls.identities.running === 1)
    await only.kill()
    first.script({ latency: { kind: 'fixed', ms: 1 } })
    const killedAtMs = Date.now()
    const waiting = await Promise.all(
      Array.from({ length: 40 }, (_, i) => submitted(client, { model: 'chain', user: `waits-${i}` })),
    )
    const lone = await submitted(client, { model: 'plain', user: 'lone' })
    await Promise.all([running, ...waiting].map(id => client.ended(id, 60_000)))
    // Nobody was moved before the time: a worker that is restarted comes back within it.
    expect(Date.now() - killedAtMs).toBeGreaterThanOrEqual(missingAfterMs - 2_500)
    for (const id of waiting) {
      const job = await client.read(id)
      expect(job.provider).toBe('second')
      expect(job.attempts).toMatchObject([{ hop: 1, provider: 'second', verdict: 'ok' }])
      expect(job.moves).toMatchObject([{ kind: 'skipped', hop: 0, provider: 'first', reason: 'no_worker' }])
    }
    expect((await client.read(running)).attempts).toMatchObject([
      { hop: 0, provider: 'first', reason: 'worker_lost', possibly_billed: true },
      { hop: 1, provider: 'second', verdict: 'ok' },
    ])
    expect(Object.values(second.calls.identities).every(calls => calls === 1)).toBe(true)

    // New ones do not even go there.
    const after = await client.ended(await submitted(client, { model: 'chain', user: 'after' }))
    expect(after.attempts).toMatchObject([{ hop: 0, provider: 'second' }])
    expect((await client.read(lone)).status).toBe('queued')
  })

  it('lets no connection wait for its whole window', async () => {
    const answer = await fetch(`${rig.apiUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'plain', messages: [{ role: 'user', content: 'hello' }] }),
    })
    const { error } = (await answer.json()) as { error: { code: string; message: string } }
    expect([answer.status, error.code, answer.headers.get('x-should-retry')]).toEqual([
      503,
      'targets_unavailable',
      'false',
    ])
    expect(error.message).toContain('No worker is running')
  })

  it('is told of wherever operators look', async () => {
    await withoutWorker('first', true)
    expect(await ready()).toEqual([200, { status: 'ready', without_worker: ['first'] }])
    const metrics = await (await fetch(`${rig.apiUrl}/metrics`)).text()
    expect(metrics).toContain('baton_provider_without_worker{provider="first"} 1')
    expect(metrics).toContain('baton_provider_without_worker{provider="second"} 0')
    // Autoscalers are told as well, by the jobs that go elsewhere.
    await until(async () => {
      await submitted(rig.client, { model: 'chain', user: 'passes' })
      const { workers_wanted, passed_over } = (await get('/v1/scaling/first')) as Record<string, number>
      return workers_wanted === 1 && passed_over! > 0
    })
    const { exitCode, out } = await status()
    expect(exitCode).toBe(1)
    expect(out).toMatch(/no worker is running for: first \(since .*; jobs with another target go on there\)/)
    expect(rig.api.lines).toContainEqual(
      expect.objectContaining({ msg: 'provider has no worker', provider: 'first' }),
    )
  })

  it('has its traffic back when a worker comes, and those that waited', async () => {
    const { site, client } = rig
    await site.worker('first')
    await until(
      async () =>
        (await client.all()).every(
          ({ status, error }) => status === 'succeeded' || error?.code === 'targets_unavailable',
        ),
      60_000,
    )
    await withoutWorker('first', false)
    expect(await ready()).toEqual([200, { status: 'ready' }])
    const job = await client.ended(await submitted(client, { model: 'chain', user: 'back' }))
    expect(job.attempts).toMatchObject([{ hop: 0, provider: 'first', verdict: 'ok' }])
  })
})
