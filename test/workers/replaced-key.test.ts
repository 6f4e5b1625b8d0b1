import type { RequestListener } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { until } from '../../harness/until.ts'
import { openUpstream } from '../contract/providers/open-provider.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { openBaton } from '../support/open-baton.ts'

const answer = { choices: [{ message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] }
const refusal = {
  error: { message: 'Incorrect API key', type: 'invalid_request_error', code: 'invalid_api_key' },
}

/** A vendor that takes no key but the new one. */
const vendor: RequestListener = (incoming, response) => {
  const isNew = incoming.headers.authorization === 'Bearer new'
  answering(isNew ? 200 : 401, isNew ? answer : refusal)(incoming, response)
}

const open = async (url: string, api_key: string, prefix?: string) => {
  const baton = await openBaton({
    level: 'workers',
    ...(prefix !== undefined && { prefix }),
    config: {
      providers: { strict: { type: 'openai', base_url: url, api_key } },
      models: { m: { provider: 'strict' } },
    },
  })
  onTestFinished(() => baton.stop())
  return baton
}

it('a job that a refused key has parked goes on with another, though a worker with the old one may take it as well', async () => {
  const { url, arrivals } = await openUpstream(vendor)
  const old = await open(url, 'old')
  const id = await old.chat('m', { windowMs: 3_600_000 })
  await until(async () => (await old.context.store.read(id))?.status === 'parked')
  const stop = old.context.cooldowns.current().find(({ state }) => state === 'stopped')!

  const fresh = await open(url, 'new', old.prefix)
  expect(await fresh.ended(id)).toMatchObject({ status: 'succeeded' })
  // Not because the old key was to be tried again: its stop stands, and it was called with once.
  expect(old.context.cooldowns.current()).toContainEqual(stop)
  expect(arrivals.filter(({ headers }) => headers.authorization === 'Bearer old')).toHaveLength(1)
})
