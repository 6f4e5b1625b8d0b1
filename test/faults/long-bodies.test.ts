import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { startMonitor } from '../support/monitor.ts'
import { openRig, type Rig } from './rig.ts'

const MB = 1024 * 1024
const scriptWords = 64 * 1024

let rig: Rig
let redis: Redis
beforeEach(async () => {
  rig = await openRig({
    scripts: ['hang-then-ok'],
    // Two of the bodies below, and no more.
    config: { jobs: { lease: '1s', max_bytes_in_flight: 5 * MB } },
    provider: { concurrency: 10 },
  })
  redis = new Redis(rig.redis.url)
})
afterEach(async () => {
  redis.disconnect()
  await rig.close()
})

const submit = async (model: string, mark: string, bytes: number): Promise<string> => {
  const body = { model, user: mark, messages: [{ role: 'user', content: mark.repeat(bytes) }] }
  const answer = await fetch(`${rig.apiUrl}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ body }),
  })
  expect(answer.status).toBe(202)
  return ((await answer.json()) as { id: string }).id
}

const payloadsLeft = async (): Promise<readonly (readonly [name: string, ms: number])[]> => {
  const names = (await redis.keys(`${rig.redis.prefix}:*`)).filter(name => /\}:[ap]:/.test(name))
  return Promise.all(names.map(async name => [name, await redis.pttl(name)] as const))
}

describe('long bodies', () => {
  it('a long job outlives its worker, comes to the provider whole, and is in no script', async () => {
    const monitor = await startMonitor(rig.redis.url)
    const doomed = await rig.site.worker('first')
    const id = await submit('hang-then-ok', 'a', MB)
    await until(() => rig.first.calls.calls === 1)
    const heir = rig.site.worker('first')
    await doomed.kill()
    const job = await rig.client.ended(id)
    expect(job.status).toBe('succeeded')
    expect(job.attempts[0]).toMatchObject({ verdict: null, reason: 'worker_lost' })
    await heir
    const scripts = monitor.commands.filter(
      command => /^evalsha /i.test(command) && command.includes(rig.redis.prefix),
    )
    await monitor.stop()
    expect(Math.max(...scripts.map(command => command.length))).toBeLessThan(scriptWords)
    // The body went with the job's success.
    expect(await payloadsLeft()).toEqual([])
  })

  it('an API that is killed between the body and its job leaves nothing for ever', async () => {
    const sending = Array.from({ length: 6 }, (_, i) =>
      submit('plain', 'abcdef'[i]!, MB).catch(() => undefined),
    )
    await until(async () => (await payloadsLeft()).length > 0)
    await rig.api.kill()
    await Promise.all(sending)
    for (const [name, left] of await payloadsLeft()) {
      const record = name.replace(/\}:p:/, '}:j:')
      // It goes by itself, or belongs to a job, which has it whole.
      if (left > 0) continue
      expect(await redis.exists(record)).toBe(1)
      expect(await redis.strlen(name)).toBeGreaterThan(MB)
    }
    await rig.startApi()
    const id = await submit('plain', 'z', MB)
    await rig.site.worker('first')
    expect((await rig.client.ended(id)).status).toBe('succeeded')
  })

  it('a worker holds no more of long bodies than it may, and calls with all in the end', async () => {
    rig.first.script({ latency: { kind: 'fixed', ms: 300 } })
    const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => submit('plain', String(i), 2 * MB)))
    await rig.site.worker('first')
    const jobs = await Promise.all(ids.map(id => rig.client.ended(id)))
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
    expect(rig.first.calls).toMatchObject({ calls: 8, maxInFlight: 2 })
  })
})
