import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatSkipped, parseFinished } from '../../src/batches/finished-line.ts'
import { endpoints } from '../../src/domain/endpoint.ts'
import { formatSegment, parseSegment } from '../../src/files/record.ts'
import { jobDoorbell, parseBatchDoorbell, parseDoorbell, webhookDoorbell } from '../../src/jobs/doorbell.ts'
import { cursorAfter, isListCursor } from '../../src/jobs/job-lists.ts'
import { formatSpec, formatTarget, parseSpec, parseTarget } from '../../src/jobs/record.ts'
import {
  batchIdOf,
  batchJobId,
  isBatchId,
  isJobId,
  lineNumberOf,
  newBatchId,
  newJobId,
  shardCount,
  shardOf,
  timeOf,
  ulidOf,
} from '../../src/redis/keys.ts'
import { patienceMs, runs } from './runs.ts'

// What is put into words for Redis comes back as it was.

const shard = fc.integer({ min: 0, max: shardCount - 1 })
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const dialect = fc.constantFrom('openai' as const, 'anthropic' as const)
const count = fc.nat(1e6)

describe('random records', () => {
  describe('ids, of any time and shard', { timeout: patienceMs }, () => {
    it('tell both, and are in the order of time', () => {
      fc.assert(
        fc.property(shard, time, time, (where, one, other) => {
          const [first, second] = [newJobId(where, one), newJobId(where, other)]
          expect([isJobId(first), shardOf(first), timeOf(first)]).toEqual([true, where, one])
          if (one !== other) expect(first < second).toBe(one < other)
        }),
        runs(2_000),
      )
    })

    it('of a batch and its jobs lead to each other', () => {
      // Five digits of base 32, and no line is number 0.
      const line = fc.integer({ min: 1, max: 32 ** 5 - 1 })
      fc.assert(
        fc.property(dialect, shard, time, line, line, (kind, where, ms, number, other) => {
          const batch = newBatchId(kind, where, ms)
          const job = batchJobId(batch, number)
          expect([isBatchId(batch, kind), isJobId(job), shardOf(job)]).toEqual([true, true, where])
          expect([lineNumberOf(job), batchIdOf(job, kind)]).toEqual([number, batch])
          expect(ulidOf(job)).not.toBe(ulidOf(batch))
          if (number !== other) expect(job < batchJobId(batch, other)).toBe(number < other)
        }),
        runs(2_000),
      )
    })

    it('stand in the names of doorbells, which BullMQ takes', () => {
      fc.assert(
        fc.property(dialect, shard, time, count, count, (kind, where, ms, hop, generation) => {
          const [job, batch] = [newJobId(where, ms), newBatchId(kind, where, ms)]
          expect(parseDoorbell(jobDoorbell(job, hop, generation))).toEqual({
            kind: 'job',
            jobId: job,
            hop,
            generation,
          })
          expect(parseDoorbell(webhookDoorbell(job, generation))).toEqual({
            kind: 'webhook',
            jobId: job,
            attempt: generation,
          })
          expect(parseBatchDoorbell(webhookDoorbell(batch, generation))).toEqual({
            batchId: batch,
            attempt: generation,
          })
          expect(parseBatchDoorbell(jobDoorbell(job, hop, generation))).toBeNull()
          for (const name of [jobDoorbell(job, hop, generation), webhookDoorbell(batch, generation)]) {
            expect(name).not.toMatch(/^\d+$|[:\s]/)
            expect(shardOf(name)).toBe(where)
          }
        }),
        runs(1_000),
      )
    })
  })

  describe('words of a record', { timeout: patienceMs }, () => {
    it('keep what a job is, whatever its model is called', () => {
      const spec = fc.record({
        createdAtMs: time,
        expiresAtMs: time,
        endpoint: fc.constantFrom(...endpoints),
        model: fc.string(),
      })
      fc.assert(
        fc.property(spec, given => {
          expect(parseSpec(formatSpec(given))).toEqual(given)
        }),
        runs(2_000),
      )
    })

    it('keep a target, whatever its model is called', () => {
      const target = fc.record({ provider: fc.stringMatching(/^[\w .-]{1,20}$/), model: fc.string() })
      fc.assert(
        fc.property(target, given => {
          expect(parseTarget(formatTarget(given))).toEqual(given)
        }),
        runs(1_000),
      )
    })

    it('keep a segment', () => {
      const segment = fc.record({
        key: fc.stringMatching(/^[a-z0-9-]{1,64}\/[a-z0-9-]{1,64}$/),
        bytes: fc.maxSafeNat(),
      })
      fc.assert(
        fc.property(segment, given => {
          expect(parseSegment(formatSegment(given))).toEqual(given)
        }),
        runs(500),
      )
    })

    it('keep a line that became no job, whatever is in it', () => {
      const reason = fc.constantFrom('rejected' as const, 'cancelled' as const, 'expired' as const)
      const refusal = fc.option(
        fc.record({ code: fc.string(), message: fc.string(), param: fc.option(fc.string()) }),
      )
      fc.assert(
        fc.property(count, fc.string(), reason, refusal, (number, customId, why, what) => {
          const entry = formatSkipped(number, customId, why, what)
          expect(parseFinished([entry])).toEqual({
            kind: 'skipped',
            entry,
            number,
            customId,
            reason: why,
            refusal: what,
          })
          expect(isJobId(entry)).toBe(false)
        }),
        runs(1_000),
      )
    })

    it('of a place in the list of jobs are read back, and no others are', () => {
      fc.assert(
        fc.property(time, shard, (ms, where) => {
          const id = newJobId(where, ms)
          expect(isListCursor(cursorAfter(id))).toBe(true)
          expect(id.slice('job_'.length).startsWith(cursorAfter(id))).toBe(true)
        }),
        runs(500),
      )
      fc.assert(
        fc.property(fc.string(), text => {
          if (isListCursor(text)) expect(text).toMatch(/^[0-9a-z]{10,20}$/)
        }),
        runs(2_000),
      )
    })
  })
})
