import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { BehaviourInput } from '../../src/sim/behaviour.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

/** A provider of whose limits the config says nothing, and several processes that work on its queue. */
const open = async (throttle: BehaviourInput['throttle'], processes: number) => {
  const sim = createSimProvider({
    journal: true,
    behaviour: { latency: { kind: 'fixed', ms: 300 }, throttle },
  })
  await sim.start()
  opened.push(sim.stop)
  const config = {
    providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
    models: { chain: { provider: 'first' } },
  }
  const one = await openBaton({ level: 'api', config })
  opened.push(one.stop)
  for (let i = 1; i < processes; i++) {
    const other = await openBaton({ level: 'workers', config, prefix: one.prefix })
    opened.push(other.stop)
  }
  return { sim, baton: one }
}

const seenOf = async ({ url }: BatonApi) => {
  const { data } = (await (await fetch(`${url}/v1/providers`)).json()) as {
    data: { limits: { seen: { held_by: string; held_limit: number; held_unit: string }[] } }[]
  }
  return data[0]!.limits.seen[0]
}

describe('concurrency that finds itself', () => {
  it('keeps to a number at once that the provider tells nowhere, over all processes, and says so', async () => {
    const { sim, baton } = await open({ atOnce: 40, silent: true }, 2)
    const ids = await Promise.all(Array.from({ length: 600 }, () => baton.chat('chain')))
    await until(async () => {
      const seen = await seenOf(baton)
      return (
        seen?.held_by === 'learned_ceiling' && seen.held_limit >= 30 && seen.held_unit === 'calls_at_once'
      )
    })
    const jobs = await Promise.all(ids.map(baton.ended))
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
    const calls = sim.journal!
    const turnedAway = calls.filter(({ outcome }) => outcome === 'throttle').length
    expect(turnedAway / calls.length).toBeLessThan(0.1)
    await until(async () => (await seenOf(baton))?.held_by === 'no_work')
  })

  it('lets a limit decide that the provider tells, and nothing else', async () => {
    const { sim, baton } = await open({ rpm: 6_000 }, 1)
    const ids = await Promise.all(Array.from({ length: 800 }, () => baton.chat('chain')))
    await until(async () => {
      const seen = await seenOf(baton)
      return seen?.held_by === 'told_limit' && seen.held_limit === 6_000
    })
    await Promise.all(ids.map(baton.ended))
    const calls = sim.journal!
    expect(calls.filter(({ outcome }) => outcome === 'throttle').length / calls.length).toBeLessThan(0.05)
  })
})
