import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { openRig, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig({ scripts: ['hang-then-ok', 'plain'], config: { server: { port: 0, express: true } } })
})
afterEach(() => rig.close())

const ask = (model: string): Promise<Response> =>
  fetch(`${rig.apiUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, user: 'lost', messages: [{ role: 'user', content: 'hello' }] }),
  })

describe('an API process with the workers of its own connections', () => {
  it('answers without another process', async () => {
    expect((await ask('plain')).status).toBe(200)
  })

  it('that is killed mid-call leaves the job to another, which ends it once', async () => {
    const { client, first, api } = rig
    ask('hang-then-ok').catch(() => undefined)
    await until(() => first.calls.calls === 1)
    await api.kill()
    await rig.startApi()
    const { data } = (await (await fetch(`${rig.apiUrl}/v1/jobs`)).json()) as { data: { id: string }[] }
    expect(data).toHaveLength(1)
    const job = await client.ended(data[0]!.id)
    expect(job.status).toBe('succeeded')
    expect(job.attempts).toEqual([
      expect.objectContaining({ hop: 0, verdict: null, reason: 'worker_lost', possibly_billed: true }),
      expect.objectContaining({ hop: 0, verdict: 'ok', possibly_billed: false }),
    ])
    expect(first.calls.identities).toEqual({ lost: 2 })
  })
})
