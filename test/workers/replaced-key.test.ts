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
  const events: string[] = []
  const baton = await openBaton({
    level: 'workers',
    logTo: { write: line => void events.push(JSON.parse(line).event) },
    ...(prefix !== undefined && { prefix }),
    config: {
      providers: { strict: { type: 'openai', base_url: url, api_key } },
      models: { m: { provider: 'strict' } },
    },
  })
  onTestFinished(() => baton.stop())
  return { ...baton, events }
}

const countOf = (events: readonly string[], event: string): number =>
  events.filter(each => each === event).length

it('a job that a refused key has parked goes on with another, once its provider is no longer paused', async () => {
  const { url, arrivals } = await openUpstream(vendor)
  const old = await open(url, 'old')
  const { store, cooldowns, circuits, circuitStore, redis } = old.context
  const id = await old.chat('m', { windowMs: 3_600_000 })
  await until(async () => (await store.read(id))?.status === 'parked')
  const stop = cooldowns.current().find(({ state }) => state === 'stopped')!

  circuits.learn(await circuitStore.pause('strict', true))
  const fresh = await open(url, 'new', old.prefix)
  await until(() => old.events.includes('worker.stepped_aside'))
  // It has looked for what may go on.
  await until(() => redis.exists(`${old.prefix}:{turn}:wake.strict`))
  circuits.learn(await circuitStore.pause('strict', false))
  const record = await fresh.ended(id)
  expect(record).toMatchObject({ status: 'succeeded' })
  expect(record.moves.map(({ kind }) => kind)).toEqual(['parked'])
  // Not because the old key was to be tried again: its stop stands, and it was called with once.
  expect(cooldowns.current()).toContainEqual(stop)
  expect(arrivals.filter(({ headers }) => headers.authorization === 'Bearer old')).toHaveLength(1)

  // Both sleep now, and the bell wakes the one that has slept longest.
  for (let i = 0; i < 8; i++)
    expect(await fresh.ended(await fresh.chat('m'))).toMatchObject({ status: 'succeeded', moves: [] })
  expect(countOf(old.events, 'job.parked')).toBe(1)

  // For as long as another lives.
  await fresh.stop()
  await until(() => old.events.includes('worker.came_back'))
  await old.chat('m', { windowMs: 3_600_000 })
  await until(() => countOf(old.events, 'job.parked') === 2)
})
