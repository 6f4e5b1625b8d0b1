import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import type { Child } from '../../harness/child.ts'
import { until } from '../../harness/until.ts'
import { openRig, type Rig } from './rig.ts'

type Api = Child & { readonly url: string }

let rig: Rig
afterEach(() => rig.close())

const clean = { code: 0, signal: null }

/**
 * A client as docs/api.md asks for: it sends what had no answer, or a 503, again under the same Idempotency-Key, here to
 * whatever API a load balancer would name.
 */
const createPatientClient = (urls: ReadonlySet<string>) => {
  let turn = 0
  const send = async (path: string, body: object, key: string): Promise<Response | null> => {
    const all = [...urls]
    const url = all[turn++ % all.length]!
    const headers = { 'content-type': 'application/json', 'idempotency-key': key }
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) }).catch(
      () => null,
    )
    await answer?.clone().arrayBuffer()
    return answer === null || answer.status === 503 ? null : answer
  }
  return async (path: string, body: object): Promise<Response> => {
    const key = randomUUID()
    for (let left = 40; left > 0; left--) {
      const answer = await send(path, body, key).catch(() => null)
      if (answer !== null) return answer
      await delay(100)
    }
    throw new Error('no API took the request')
  }
}

it('APIs and workers are replaced one by one under load: no call is lost or repeated, no request fails', {
  timeout: 300_000,
}, async () => {
  rig = await openRig({ config: { server: { port: 0, shutdown_grace: '60s' }, jobs: { lease: '30s' } } })
  const { site, first, client } = rig
  first.script({ latency: { kind: 'uniform', minMs: 50, maxMs: 300 } })
  const apis: Api[] = [await site.api(), await site.api()]
  const workers = [await site.worker('first'), await site.worker('first')]
  const urls = new Set(apis.map(({ url }) => url))
  const post = createPatientClient(urls)

  let isOver = false
  let sent = 0
  const jobs: string[] = []
  const statuses = new Set<number>()
  const nextBody = () => ({
    model: 'plain',
    user: `u${sent++}`,
    messages: [{ role: 'user', content: 'hello' }],
  })
  const submitting = async (): Promise<void> => {
    while (!isOver) {
      const answer = await post('/v1/jobs', { body: nextBody() })
      statuses.add(answer.status)
      jobs.push(((await answer.json()) as { id: string }).id)
      await delay(20)
    }
  }
  const waiting = async (): Promise<void> => {
    while (!isOver) statuses.add((await post('/v1/chat/completions', nextBody())).status)
  }
  const load = [submitting(), submitting(), ...Array.from({ length: 6 }, waiting)]
  const someMore = async () => {
    const before = sent
    await until(() => sent > before + 30)
  }

  await someMore()
  for (const old of apis) {
    const fresh = await site.api()
    urls.add(fresh.url)
    // A load balancer takes a pod out as soon as it is told to stop, and not before.
    old.signal('SIGTERM')
    urls.delete(old.url)
    expect(await old.exited).toEqual(clean)
    await someMore()
  }
  for (const old of workers) {
    await site.worker('first')
    old.signal('SIGTERM')
    expect(await old.exited).toEqual(clean)
    await someMore()
  }
  isOver = true
  await Promise.all(load)
  for (const id of jobs) expect((await client.ended(id, 60_000)).status).toBe('succeeded')

  expect([...statuses].toSorted()).toEqual([200, 202])
  const { identities } = first.calls
  expect(Object.keys(identities)).toHaveLength(sent)
  expect(Object.entries(identities).filter(([, calls]) => calls !== 1)).toEqual([])
})
