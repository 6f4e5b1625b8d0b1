import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Child } from '../../harness/child.ts'
import type { Deployment } from '../../harness/deployment.ts'
import { Baton } from '../../src/client/client.ts'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

let sim: SimProvider
let site: Deployment
let api: Child
let baton: Baton

beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
  const port = await findFreePort()
  site = await openBaton({
    level: 'processes',
    config: {
      redis: testRedis(),
      server: { port },
      providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
      models: Object.fromEntries(
        ['hang', 'gpt-4', 'stream-slow-tokens'].map(name => [name, { provider: 'first' }]),
      ),
    },
  })
  await site.worker('first')
  api = await site.api()
  baton = new Baton({ baseUrl: `http://127.0.0.1:${port}` })
})
afterAll(async () => {
  await site?.close()
  await sim?.stop()
})

const chat = (model: string) => ({ model, messages: [{ role: 'user', content: 'hi' }] })

it('a wait, a stream and a submission outlive a kill of the server', async () => {
  const hanging = await baton.submit(chat('hang'))
  const waiting = baton.wait(hanging.id)
  let id = ''
  let text = ''
  let submitting: ReturnType<Baton['submit']> | null = null
  const seen: string[] = []
  for await (const event of baton.stream(chat('stream-slow-tokens'), { onJob: job => (id = job) })) {
    text += event.text
    seen.push(event.id)
    if (submitting !== null || event.text === '') continue
    await api.kill()
    // While nobody listens.
    submitting = baton.submit(chat('gpt-4'))
    api = await site.api()
  }
  expect(submitting).not.toBeNull()
  expect(new Set(seen).size).toBe(seen.length)
  const { response } = await baton.wait(id)
  expect(response?.body).toMatchObject({ choices: [{ message: { content: text } }] })
  expect(await baton.wait((await submitting!).id)).toMatchObject({ status: 'succeeded' })
  await baton.jobs.cancel(hanging.id)
  expect(await waiting).toMatchObject({ id: hanging.id, status: 'cancelled' })
})
