import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { openRig, type Rig } from './rig.ts'
import { expectBroken, follow, plainText, readChat, stream, wholeEvents } from './stream-client.ts'

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

  it('that is killed in the middle of a stream ends it with one error for a reader that comes back', async () => {
    rig.first.script({ stream: { tokens: 10_000, tokenGapMs: 20 } })
    const asker = await stream(rig.apiUrl)
    const reader = await follow(rig.apiUrl, asker.jobId)
    await reader.has(3_000)
    await rig.api.kill()
    const had = wholeEvents(await reader.ended)
    expect(readChat(had.text)).toMatchObject({ errors: [], isDone: false })
    await rig.startApi()
    const whole = await follow(rig.apiUrl, asker.jobId)
    expectBroken(await whole.ended)
    expect(await rig.client.ended(asker.jobId)).toMatchObject({
      ...{ status: 'failed', error: { code: 'stream_broken' } },
      attempts: [{ reason: 'worker_lost', possibly_billed: true }],
    })
    // The log is written in groups: what a reader of the killed process had beyond it is never followed by other bytes.
    const kept = plainText(whole.text()).split('data: {"error"')[0]!
    const rest = await follow(rig.apiUrl, asker.jobId, had.lastId)
    const text = plainText(had.text) + plainText(await rest.ended)
    expect(readChat(text).errors).toEqual(['stream_broken'])
    expect(text.startsWith(kept)).toBe(true)
    expect(rig.first.calls.calls).toBe(1)
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
