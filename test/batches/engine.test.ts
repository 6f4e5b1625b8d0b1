import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { BatchRecord } from '../../src/batches/record.ts'
import { batchJobId, ulidOf } from '../../src/redis/keys.ts'
import { line, lines, rows } from './batch-desk.ts'
import { type BatchRig, openBatchRig } from './batch-rig.ts'

let rig: BatchRig
beforeAll(async () => {
  rig = await openBatchRig()
})
afterAll(() => rig.close())

/** Custom ids of all lines, and that the counts say the same. */
const idsOf = async (batch: BatchRecord): Promise<string[]> => {
  const { output, error } = await rig.lines(batch)
  const { succeeded, errored, canceled, expired } = batch.counts
  expect([output.length, error.length]).toEqual([succeeded, errored + canceled + expired])
  expect(batch.collected).toBe(batch.total)
  return [...output, ...error].map(l => l.custom_id).sort()
}

const refs = async (batch: BatchRecord): Promise<string | null> => {
  const { redis, keys } = rig.baton.context
  return redis.hget(keys.file(batch.inputFileId!), 'refs')
}

describe('the batch engine', () => {
  describe('a batch', () => {
    it('is heard of by the feeders when it is new', async () => {
      const { redis, keys } = rig.baton.context
      const [, listening] = (await redis.pubsub('NUMSUB', keys.batchesChannel)) as [string, number]
      expect(listening).toBe(rig.feeders.length)
    })

    it('answers each line, wherever it ended, in the file where it belongs', async () => {
      const input = line('a', 'plain') + line('b', 'chain') + line('c', 'fail-400') + line('d', 'claude')
      const id = await rig.batch(input)
      const batch = await rig.ended(id)
      expect(batch).toMatchObject({
        status: 'completed',
        total: 4,
        counts: { succeeded: 3, errored: 1, canceled: 0, expired: 0 },
        providers: { first: 2, second: 2 },
        model: null,
      })
      const { output, error } = await rig.lines(batch)
      expect(output.map(l => l.custom_id).sort()).toEqual(['a', 'b', 'd'])
      expect(error).toMatchObject([{ custom_id: 'c', error: null, response: { status_code: 400 } }])
      expect(output.find(l => l.custom_id === 'a')).toMatchObject({
        id: `batch_req_${ulidOf(batchJobId(id, 1))}`,
        error: null,
        response: { status_code: 200, body: { object: 'chat.completion' } },
      })
      expect(batch.usage.input_tokens).toBeGreaterThan(0)
      expect(batch.costUsd).toBeGreaterThan(0)
      expect(await refs(batch)).toBe('0')
      expect(await rig.files.read(batch.outputFileId)).toMatchObject({ filename: `${id}_output.jsonl` })
    })

    it('leaves nothing of its jobs in Redis', async () => {
      const id = await rig.batch(lines(300, 'plain'))
      await rig.ended(id)
      const { redis, keys } = rig.baton.context
      const stem = ulidOf(id).slice(0, 20)
      await until(async () => (await redis.keys(`${keys.prefix}*${stem}*`)).length === 2)
      // The record, and the segments of the output file.
      expect((await redis.keys(`${keys.prefix}*${stem}*`)).sort()).toContain(keys.batch(id))
    })

    it('is done soon when it is small', async () => {
      const startedAt = performance.now()
      await rig.ended(await rig.batch(lines(10, 'plain')))
      expect(performance.now() - startedAt).toBeLessThan(4_000)
    })

    it('fails with what is wrong when its file is, and lets the file go', async () => {
      const id = await rig.batch(`${line('a', 'plain')}nonsense\n${line('a', 'nowhere')}`)
      const batch = await rig.ended(id)
      expect(batch).toMatchObject({ status: 'failed', total: null, collected: 0 })
      expect(batch.faults.map(f => [f.line, f.code])).toEqual([
        [2, 'invalid_json_line'],
        [3, 'duplicate_custom_id'],
      ])
      expect(await refs(batch)).toBe('0')
      expect(await rig.files.read(batch.errorFileId)).toBeNull()
    })

    it('answers a line that nobody can serve with what stands in its way', async () => {
      const body = { model: 'claude', n: 3, messages: [{ role: 'user', content: 'hi' }] }
      const input = JSON.stringify({ custom_id: 'many', method: 'POST', url: '/v1/chat/completions', body })
      const tools = input.replace('"many"', '"tools"').replace('"claude","n":3', '"plain","tools":[{}]')
      const none = JSON.stringify({
        ...JSON.parse(input),
        custom_id: 'none',
        body: { model: 'claude', messages: [] },
      })
      const batch = await rig.ended(await rig.batch(`${input}\n${tools}\n${none}\n${line('one', 'claude')}`))
      expect(batch).toMatchObject({ status: 'completed', counts: { succeeded: 1, errored: 3 } })
      const { error } = await rig.lines(batch)
      expect(error).toMatchObject([
        {
          custom_id: 'many',
          response: { status_code: 400, body: { error: { code: 'unsupported_parameter' } } },
        },
        {
          custom_id: 'tools',
          response: { status_code: 400, body: { error: { code: 'no_capable_target' } } },
        },
        {
          custom_id: 'none',
          response: { status_code: 400, body: { error: { code: 'invalid_request', param: 'messages' } } },
        },
      ])
    })

    it('serves Anthropic’s clients in their words', async () => {
      const request = (customId: string, params: object) =>
        `${JSON.stringify({ custom_id: customId, params: { model: 'claude', max_tokens: 9, messages: [{ role: 'user', content: 'x' }], ...params } })}\n`
      const id = await rig.batch(request('a', {}) + request('b', { stream: true }), {
        dialect: 'anthropic',
        endpoint: '/v1/messages',
        total: 2,
      })
      const batch = await rig.ended(id)
      expect(id).toMatch(/^msgbatch_/)
      expect(batch).toMatchObject({
        status: 'completed',
        counts: { succeeded: 1, errored: 1 },
        errorBytes: 0,
      })
      const { output } = await rig.lines(batch)
      expect(output).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ custom_id: 'a', result: expect.objectContaining({ type: 'succeeded' }) }),
          expect.objectContaining({ custom_id: 'b', result: expect.objectContaining({ type: 'errored' }) }),
        ]),
      )
      expect(
        await rig.baton.context.redis.zscore(rig.baton.context.keys.files('default'), batch.outputFileId),
      ).toBeNull()
    })
  })

  describe('while it runs', () => {
    it('can be read as far as it is, and be cancelled with what it has', async () => {
      const id = await rig.batch(lines(20, 'plain') + line('stuck', 'hang'))
      const running = await rig.reached(id, batch => batch.collected === 20)
      expect(running.status).toBe('in_progress')
      expect((await rig.lines(running)).output).toHaveLength(20)
      await rig.batches.cancel(id)
      const batch = await rig.ended(id)
      expect(batch).toMatchObject({ status: 'cancelled', counts: { succeeded: 20, canceled: 1 } })
      expect(await idsOf(batch)).toEqual([...rows(20), 'stuck'].sort())
      expect((await rig.lines(batch)).error).toMatchObject([
        { response: null, error: { code: 'batch_cancelled' } },
      ])
    })

    it('ends with its window: what has no answer by then is expired', async () => {
      const expiresAtMs = Date.now() + 1_500
      const id = await rig.batch(lines(20, 'plain') + line('stuck', 'hang'), { expiresAtMs })
      const batch = await rig.ended(id)
      expect(batch).toMatchObject({ status: 'expired', counts: { succeeded: 20, expired: 1 } })
      expect(batch.endedAtMs).toBeGreaterThanOrEqual(expiresAtMs)
      expect(await idsOf(batch)).toEqual([...rows(20), 'stuck'].sort())
      expect((await rig.lines(batch)).error).toMatchObject([{ error: { code: 'batch_expired' } }])
    })

    it('lets a small one by', async () => {
      const big = await rig.batch(lines(20_000, 'plain'))
      await rig.reached(big, batch => batch.collected > 2_000)
      await rig.ended(await rig.batch(lines(10, 'plain')))
      expect((await rig.read(big)).status).toBe('in_progress')
      await rig.batches.cancel(big)
      const batch = await rig.ended(big)
      expect(batch).toMatchObject({ status: 'cancelled', collected: 20_000 })
      expect(await idsOf(batch)).toEqual(rows(20_000))
    })

    it('is written down, first half and all, by whoever takes it up', async () => {
      const id = await rig.batch(lines(6_000, 'plain'))
      await rig.reached(id, batch => batch.collected > 500)
      const [another] = await Promise.all([rig.feeder(), rig.feeder()])
      await rig.feeders[0]!.stop()
      await rig.reached(id, batch => batch.collected > 3_000)
      await another.stop()
      const batch = await rig.ended(id)
      expect(batch).toMatchObject({ status: 'completed', counts: { succeeded: 6_000 } })
      expect(await idsOf(batch)).toEqual(rows(6_000))
    })
  })
})
