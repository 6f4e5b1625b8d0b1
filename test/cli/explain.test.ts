import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { newJobId } from '../../src/redis/keys.ts'
import { type OperatorSite, openOperatorSite } from './operator-site.ts'

let site: OperatorSite
beforeEach(async () => {
  site = await openOperatorSite()
})
afterEach(() => site.close())

const explained = async (id: string): Promise<{ texts: string[]; waits: string | null }> => {
  const { steps, waits } = await site.json<{ steps: { text: string }[]; waits: string | null }>(
    `explain ${id}`,
  )
  return { texts: steps.map(({ text }) => text), waits }
}

describe('baton explain', () => {
  test('why a job went to another provider, before the outage was known, and after', async () => {
    const { baton, openai } = site
    openai.script({ fault: { kind: 'error-503' } })
    const first = await baton.chat('gpt-4')
    await baton.ended(first)
    const called = await explained(first)
    expect(called.texts.slice(1, 3)).toEqual([
      expect.stringMatching(/^asked openai\/gpt-4: 503 after .+; handed over to anthropic\/claude$/),
      expect.stringMatching(/^asked anthropic\/claude: 200 after .+, it answered$/),
    ])
    expect(called.texts.at(-1)).toMatch(/^succeeded, answered by anthropic\/claude, after 2 calls/)
    expect(called.waits).toBeNull()

    // Enough of them to open the circuit; those that were under way then are passed on without a call.
    await Promise.all(Array.from({ length: 6 }, async () => baton.ended(await baton.chat('gpt-4'))))
    await until(() => baton.context.circuits.of('openai').state === 'down')
    const later = await baton.chat('gpt-4')
    await baton.ended(later)
    expect((await explained(later)).texts[1]).toBe(
      'passed over openai/gpt-4 without a call, which is down after failures; sent on to anthropic/claude',
    )
    const parked = await baton.chat('alone')
    await until(async () => (await baton.context.store.read(parked))!.status === 'parked')
    const { texts, waits } = await explained(parked)
    expect(texts.at(-1)).toMatch(
      /^no target could serve: parked until [\d:.]+ for openai\/alone, which is down after failures$/,
    )
    expect(waits).toMatch(
      /^parked until [\d:]+ \(in .+\) for openai\/alone; openai is down until [\d:]+ \(\w+\)$/,
    )

    const shown = await site.run(`explain ${parked}`)
    expect(shown.out.split('\n')[0]).toBe(`${parked}: parked`)
    expect(shown.out).toMatch(/\n {2}now +parked until/)
  })

  test('a job that stood in a queue when its provider was taken out of use', async () => {
    const { baton } = site
    await baton.context.circuitStore.pause('openai', true)
    await until(() => baton.context.circuits.of('openai').pausedAtMs > 0)
    // As an API process sends it that has not heard of the pause yet.
    const id = newJobId(3, Date.now())
    await baton.context.store.create({
      id,
      tenant: 'default',
      endpoint: '/v1/chat/completions',
      model: 'gpt-4',
      body: '{"model":"gpt-4","messages":[{"role":"user","content":"x"}]}',
      tokens: 500,
      createdAtMs: Date.now(),
      expiresAtMs: Date.now() + 60_000,
      target: { provider: 'openai', model: 'gpt-4' },
      priority: 'default',
      webhook: null,
      metadata: null,
      retryOf: null,
      idempotency: null,
    })
    await baton.ended(id)
    const { texts } = await explained(id)
    expect(texts[1]).toBe(
      'passed over openai/gpt-4 without a call, which an operator has paused; sent on to anthropic/claude',
    )
  })

  test('a job that nobody knows', async () => {
    const { exitCode, err } = await site.run('explain job_00000000000000000000000000')
    expect(exitCode).toBe(1)
    expect(err).toContain('job_not_found')
  })
})
