import { describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { ask, post, startSim } from './provider-fixture.ts'

const journalOf = async (url: string) => {
  const answer = await fetch(`${url}/__sim/journal`)
  return ((await answer.json()) as { calls: Record<string, unknown>[] | null }).calls
}

describe('the journal of the simulated provider', () => {
  test('the journal tells whose each call was, what was answered and when', async () => {
    let now = 1_000
    const sim = await startSim({ journal: true, now: () => now })
    const chat = (model: string, user: string) =>
      post(`${sim.url}/v1/chat/completions`, ask(model, 'hi', { user }), { 'x-sim-caller': 'worker-1' })
    await chat('gpt-4', 'a')
    now = 2_000
    await chat('fail-429-then-ok', 'b')
    const at = { caller: 'worker-1', startedAtMs: 1_000, endedAtMs: 1_000 }
    await until(() => sim.journal?.every(({ endedAtMs }) => endedAtMs !== null))
    expect(await journalOf(sim.url)).toEqual([
      { ...at, identity: 'a', outcome: 'ok', status: 200 },
      { ...at, identity: 'b', outcome: 'throttle', status: 429, startedAtMs: 2_000, endedAtMs: 2_000 },
    ])
  })

  test('a call that its caller left was answered nothing, and one that runs has no end yet', async () => {
    const sim = await startSim({ journal: true })
    const leave = new AbortController()
    const left = post(`${sim.url}/v1/messages`, ask('hang'), { 'x-sim-id': 'a' }, leave.signal).catch(
      () => null,
    )
    await until(() => sim.journal?.[0]?.outcome === 'hang')
    expect(await journalOf(sim.url)).toEqual([
      expect.objectContaining({ identity: 'a', caller: null, endedAtMs: null, status: null }),
    ])
    leave.abort()
    await left
    await until(() => typeof sim.journal?.[0]?.endedAtMs === 'number')
    expect(sim.journal).toEqual([expect.objectContaining({ outcome: 'hang', status: null })])
  })

  test('none is kept unless it is asked for', async () => {
    const sim = await startSim()
    await post(`${sim.url}/v1/chat/completions`, ask('gpt-4'))
    expect(await journalOf(sim.url)).toBe(null)
  })
})
