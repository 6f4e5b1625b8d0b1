import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { openRig, type Rig } from './rig.ts'

const slow = 'slow-3000ms'
const stuck = 'hang-then-ok'

let rig: Rig
afterEach(() => rig.close())

const ask = (model: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${rig.apiUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, user: model, messages: [{ role: 'user', content: 'hello' }] }),
  })

const open = async (): Promise<void> => {
  rig = await openRig({ scripts: [slow, stuck], config: { server: { port: 0, shutdown_grace: '0s' } } })
}

const stopApi = async (): Promise<void> => {
  rig.api.signal('SIGTERM')
  expect(await rig.api.exited).toEqual({ code: 0, signal: null })
}

describe('jobs of an API that stops', () => {
  it('a call under way for a client that a stopping API lets go is dropped, and not made for nobody later', async () => {
    await open()
    await rig.site.worker('first')
    const waiting = ask(stuck)
    await until(() => rig.first.calls.calls === 1)
    await stopApi()
    expect((await waiting).status).toBe(503)
    await until(() => rig.first.calls.inFlight === 0)
    await rig.startApi()
    expect((await ask(stuck)).status).toBe(200)
    expect(rig.first.calls.identities).toEqual({ [stuck]: 2 })
    const jobs = await rig.client.all()
    expect(jobs.map(({ status, attempts }) => [status, attempts.map(a => a.verdict ?? a.reason)])).toEqual([
      ['succeeded', ['ok']],
      ['cancelled', ['cancelled']],
    ])
  })

  it('a job that waits for a worker as its client is let go is never called for', async () => {
    await open()
    const waiting = ask(slow)
    await until(async () => (await rig.client.all()).length === 1)
    await stopApi()
    expect((await waiting).status).toBe(503)
    await rig.startApi()
    await rig.site.worker('first')
    expect((await ask(slow)).status).toBe(200)
    expect(rig.first.calls.identities).toEqual({ [slow]: 1 })
  })

  it('one with a key is called for once, and its client has the answer from the next API', async () => {
    await open()
    await rig.site.worker('first')
    const waiting = ask(slow, { 'idempotency-key': 'once' })
    await until(() => rig.first.calls.calls === 1)
    await stopApi()
    expect((await waiting).status).toBe(503)
    await rig.startApi()
    expect((await ask(slow, { 'idempotency-key': 'once' })).status).toBe(200)
    expect(rig.first.calls.identities).toEqual({ [slow]: 1 })
  })
})
