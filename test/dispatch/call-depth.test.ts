import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

/** The chain from a worker's queue to the socket was 19 frames once. */
const mostFrames = 12

let sim: SimProvider
let baton: Baton
let stackTraceLimit: number

beforeEach(async () => {
  stackTraceLimit = Error.stackTraceLimit
  Error.stackTraceLimit = Number.POSITIVE_INFINITY
  sim = createSimProvider()
  await sim.start()
})
afterEach(async () => {
  Error.stackTraceLimit = stackTraceLimit
  await baton.stop()
  await sim.stop()
})

/** Frames of our own code, outermost first. V8 lists with them the async functions that wait for the innermost. */
const ownFrames = (): string[] => {
  const root = join(import.meta.dirname, '../..')
  return new Error('stack')
    .stack!.split('\n')
    .filter(line => line.includes(`${root}/src/`) || line.includes(`${root}/workers/`))
    .map(line => line.trim().replace(`${root}/`, ''))
    .toReversed()
}

describe('the chain of a call, from the queue to the socket', () => {
  it.each([
    ['one model', ['gpt-4']],
    ['several models, each with a gate of its own', ['gpt-4', 'gpt-5']],
  ])(`has at most ${mostFrames} own frames for a provider with %s`, async (_, models) => {
    baton = await openBaton({
      level: 'workers',
      config: {
        providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
        models: Object.fromEntries(models.map(model => [model, { provider: 'first' }])),
      },
    })
    // The consumer of the queue does not wait for the job it hands on, so the stack at the socket begins with the handler. How
    // deep that is, the stack tells where the executor first asks something.
    const { isolation } = baton.context
    const { enter } = isolation
    let toExecutor: string[] = []
    isolation.enter = () => {
      toExecutor = ownFrames()
      return enter()
    }
    let toSocket: string[] = []
    const onRequest = (): void => {
      toSocket = ownFrames()
    }
    subscribe('undici:request:create', onRequest)
    try {
      await baton.ended(await baton.chat('gpt-4'))
    } finally {
      unsubscribe('undici:request:create', onRequest)
    }
    const isExecute = (frame: string): boolean => /\bexecute \(src\/dispatch\/execute\.ts/.test(frame)
    const above = toExecutor.slice(0, toExecutor.findIndex(isExecute))
    const below = toSocket.slice(toSocket.findIndex(isExecute))
    const frames = [...above, ...below]
    expect(frames.at(0)).toContain('src/queue/consumer.ts')
    expect(frames.at(-1)).toContain('src/providers/transport.ts')
    expect(frames.length, frames.join('\n')).toBeLessThanOrEqual(mostFrames)
  })
})
