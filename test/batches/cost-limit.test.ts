import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BatchRecord } from '../../src/batches/record.ts'
import { line, lines, rows } from './batch-desk.ts'
import { type BatchRig, openBatchRig } from './batch-rig.ts'

let rig: BatchRig
beforeAll(async () => {
  rig = await openBatchRig()
})
afterAll(() => rig.close())

/** What a line costs, more or less: names and answers differ by a token. */
const lineCost = async (): Promise<number> =>
  (await rig.ended(await rig.batch(line('one', 'plain')))).costUsd!

const idsOf = async (batch: BatchRecord) => {
  const { output, error } = await rig.lines(batch)
  return { all: [...output, ...error].map(l => l.custom_id).sort(), error }
}

describe('the cost limit of a batch', () => {
  it('a batch begins no line that would pass its limit, and has a line for each all the same', async () => {
    const maxCostUsd = 50.5 * (await lineCost())
    const batch = await rig.ended(await rig.batch(lines(300, 'plain'), { maxCostUsd }))
    const { succeeded, errored } = batch.counts
    expect([batch.status, succeeded + errored]).toEqual(['completed', 300])
    expect(batch.costUsd).toBeLessThanOrEqual(maxCostUsd)
    expect(batch.costUsd).toBeGreaterThan(0.9 * maxCostUsd)
    const { all, error } = await idsOf(batch)
    expect(all).toEqual(rows(300))
    expect(error).toHaveLength(errored)
    expect(new Set(error.map(l => l.error?.code))).toEqual(new Set(['cost_limit_reached']))
  })

  it('a limit that is not reached holds nothing up', async () => {
    const paid = await rig.batch(lines(40, 'plain'), { maxCostUsd: 100 })
    expect(await rig.ended(paid)).toMatchObject({ counts: { succeeded: 40, errored: 0 } })
  })

  it.each(['claude', 'mixed'])(
    'a batch with a limit whose lines may be answered without a price is refused: %s',
    async model => {
      const before = rig.second.calls.calls
      const id = await rig.batch(`${lines(2, 'plain')}${line('odd', model)}`, { maxCostUsd: 5 })
      const batch = await rig.ended(id)
      expect(batch).toMatchObject({
        status: 'failed',
        faults: [{ code: 'price_unknown', param: 'body.model', line: 3 }],
      })
      expect(batch.faults[0]!.message).toContain('second/claude')
      expect(batch.faults[0]!.message).toContain('models.claude')
      expect(rig.second.calls.calls).toBe(before)
    },
  )

  it('a line without a price that nobody saw before is not begun', async () => {
    const request = (model: string) =>
      JSON.stringify({
        custom_id: model,
        params: { model, max_tokens: 9, messages: [{ role: 'user', content: 'x' }] },
      })
    const id = await rig.batch(`${request('plain')}\n${request('claude')}\n`, {
      ...({ dialect: 'anthropic', endpoint: '/v1/messages', total: 2, maxCostUsd: 5 } as const),
    })
    expect(await rig.ended(id)).toMatchObject({ counts: { succeeded: 1, errored: 1 } })
  })

  it('Anthropic’s clients hear of it as of an error of this server, after which they may send the request again', async () => {
    const requests = Array.from({ length: 30 }, (_, i) =>
      JSON.stringify({
        custom_id: `r${i}`,
        params: { model: 'plain', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] },
      }),
    )
    const id = await rig.batch(`${requests.join('\n')}\n`, {
      dialect: 'anthropic',
      endpoint: '/v1/messages',
      total: 30,
      maxCostUsd: 1e-7,
    })
    const batch = await rig.ended(id)
    // Nobody knows before the first answers that a line costs more than all of them may.
    expect(batch).toMatchObject({ counts: { succeeded: 4, errored: 26 } })
    const { output } = await rig.lines(batch)
    const errors = output.map(l => (l as unknown as { result: { type: string; error?: object } }).result)
    expect(errors.filter(({ type }) => type === 'errored')).toHaveLength(26)
    expect(errors).toContainEqual({
      type: 'errored',
      error: expect.objectContaining({ error: expect.objectContaining({ type: 'api_error' }) }),
    })
  })
})
