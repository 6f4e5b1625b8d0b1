import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFileStore } from '../../src/files/store.ts'
import { createJobLists } from '../../src/jobs/job-lists.ts'
import { createMetadataIndex, scoreOf } from '../../src/jobs/list-entry.ts'
import { batchJobId, createKeys, newBatchId, newFileId, newJobId, ulidOf } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { openTestApi, type TestApi } from '../api/test-api.ts'
import { testRedis } from '../support/redis.ts'
import { patienceMs, runs } from './runs.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

/** How many a page may have, page for page, from the first again when they are used up. */
const pageSizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })
const sizeAt = (sizes: readonly number[], page: number): number => sizes[page % sizes.length]!

describe('random cursors', () => {
  describe('the lists of jobs', { timeout: patienceMs }, () => {
    const listed = fc.record({
      shard: fc.nat(3),
      ms: fc.integer({ min: 1, max: 4 }),
      state: fc.constantFrom('open', 'succeeded', 'failed'),
      /** It ends, or leaves the lists, before this page is asked for. */
      movedBefore: fc.option(fc.nat(5), { nil: Number.POSITIVE_INFINITY }),
      isGone: fc.boolean(),
    })
    const everything = {
      ...{ tenant: null, statuses: [], metadata: {} },
      ...{ createdFromMs: 0, createdToMs: Number.MAX_SAFE_INTEGER },
    }

    it('are gone through in order, each job once, in pages of any size, while jobs end and leave', async () => {
      const { redis } = api
      await fc.assert(
        fc.asyncProperty(fc.array(listed, { maxLength: 24 }), pageSizes, async (given, sizes) => {
          const keys = createKeys(testRedis().prefix)
          const jobs = given.map(one => ({ ...one, id: newJobId(one.shard, one.ms) }))
          const entryOf = (id: string) => `${ulidOf(id)}\n\nroute\nfirst/model\n\n`
          for (const { id, shard, state } of jobs)
            await redis.zadd(keys.list(shard, state), scoreOf(ulidOf(id)), entryOf(id))
          const lists = createJobLists({
            ...{ run: createScriptRunner(redis), keys, leaseMs: 15_000, now: Date.now },
            index: createMetadataIndex([]),
          })
          const seen: string[] = []
          for (let page = 0, cursor: string | null = ''; cursor !== null; page++) {
            for (const { id, shard, state, movedBefore, isGone } of jobs.filter(
              j => j.movedBefore === page,
            )) {
              await redis.zrem(keys.list(shard, state), entryOf(id))
              if (!isGone) await redis.zadd(keys.list(shard, 'expired'), scoreOf(ulidOf(id)), entryOf(id))
              expect(movedBefore).toBe(page)
            }
            const size = sizeAt(sizes, page)
            const step = await lists.walk(everything, cursor || null).next(size)
            expect(step.ids.length).toBeLessThanOrEqual(size)
            seen.push(...step.ids)
            cursor = step.cursor
          }
          const order = jobs.map(({ id }) => id).sort((a, b) => (a < b ? 1 : -1))
          expect(seen).toEqual(order.filter(id => seen.includes(id)))
          const missed = jobs.filter(({ id }) => !seen.includes(id))
          expect(missed.filter(({ movedBefore, isGone }) => !isGone || movedBefore > 24)).toEqual([])
        }),
        runs(60),
      )
    })
  })

  describe('the list of files', { timeout: patienceMs }, () => {
    const file = fc.record({
      purpose: fc.constantFrom('batch', 'vision'),
      tenant: fc.constantFrom('one', 'one', 'two'),
      removedBefore: fc.option(fc.nat(3), { nil: Number.POSITIVE_INFINITY }),
    })
    const filter = fc.option(fc.constantFrom('batch', 'vision'))

    it('is gone through in order, each file once, both ways, in pages of any size', async () => {
      const { redis, parts } = api
      const order = fc.constantFrom('asc' as const, 'desc' as const)
      await fc.assert(
        fc.asyncProperty(
          fc.array(file, { maxLength: 12 }),
          filter,
          order,
          pageSizes,
          async (given, ...how) => {
            const [purpose, way, sizes] = how
            const keys = createKeys(testRedis().prefix)
            const run = createScriptRunner(redis)
            const files = createFileStore({ redis, run, keys, blobs: parts.blobs, now: Date.now })
            const made = given.map((one, i) => ({ ...one, id: newFileId(i % 3, 1_000 + Math.floor(i / 3)) }))
            for (const { id, tenant, purpose: what } of made) {
              const rest = { filename: 'a', bytes: 0, createdAtMs: 1, expiresAtMs: null }
              await files.reserve(id, tenant)
              await files.create({ id, tenant, purpose: what, ...rest }, [])
            }
            const seen: string[] = []
            for (let page = 0, after: string | null = null, hasMore = true; hasMore; page++) {
              for (const { id, removedBefore } of made) if (removedBefore === page) await files.remove(id)
              const limit = sizeAt(sizes, page)
              const found = await files.list('one', { after, limit, order: way, purpose })
              if (found === 'unknown_cursor') throw new Error('the cursor of a page is not known')
              expect(found.files.length === limit || !found.hasMore).toBe(true)
              seen.push(...found.files.map(({ id }) => id))
              after = seen.at(-1) ?? null
              hasMore = found.hasMore
            }
            const wanted = made.filter(
              one => one.tenant === 'one' && (purpose ?? one.purpose) === one.purpose,
            )
            const inOrder = wanted.map(({ id }) => id).sort()
            if (way === 'desc') inOrder.reverse()
            expect(seen).toEqual(inOrder.filter(id => seen.includes(id)))
            const missed = wanted.filter(({ id }) => !seen.includes(id))
            expect(missed.filter(({ removedBefore }) => removedBefore === Number.POSITIVE_INFINITY)).toEqual(
              [],
            )
          },
        ),
        runs(60),
      )
    })
  })

  describe('the list of batches', { timeout: patienceMs }, () => {
    /** Some are past their retention, and the list does not know it yet. */
    const batch = fc.record({ isGone: fc.boolean(), isElsewhere: fc.boolean() })

    it('is gone through in order, each batch once, both ways, in pages of any size', async () => {
      const { redis, parts } = api
      const way = fc.constantFrom('after' as const, 'before' as const)
      await fc.assert(
        fc.asyncProperty(
          fc.array(batch, { maxLength: 12 }),
          way,
          pageSizes,
          async (given, direction, sizes) => {
            const tenant = testRedis().prefix
            const keys = createKeys(api.prefix)
            const made = given.map((one, i) => ({ ...one, id: newBatchId('openai', i % 3, 1_000 + i) }))
            for (const { id, isGone, isElsewhere } of made) {
              const whose = isElsewhere ? `${tenant}-2` : tenant
              await redis.zadd(keys.batches('openai', whose), 0, id)
              if (!isGone) await redis.hset(keys.batch(id), { id, tenant: whose, status: 'completed' })
            }
            const there = made
              .filter(({ isGone, isElsewhere }) => !isGone && !isElsewhere)
              .map(({ id }) => id)
            // Newer ones are asked for from the oldest on, and each page has its newest first.
            const from = direction === 'before' ? there[0] : undefined
            const seen: string[] = from === undefined ? [] : [from]
            for (
              let page = 0, place = from, hasMore = direction === 'after' || from !== undefined;
              hasMore;
              page++
            ) {
              const limit = sizeAt(sizes, page)
              const found = await parts.batches.list(tenant, 'openai', { [direction]: place, limit })
              if (found === 'unknown_cursor') throw new Error('the cursor of a page is not known')
              const ids = found.batches.map(({ id }) => id)
              expect(ids.length === limit || !found.hasMore).toBe(true)
              seen.push(...(direction === 'before' ? ids.toReversed() : ids))
              place = seen.at(-1)
              hasMore = found.hasMore
            }
            expect(seen).toEqual(direction === 'before' ? there : there.toReversed())
          },
        ),
        runs(60),
      )
    })
  })

  describe('a cursor from nowhere', { timeout: patienceMs }, () => {
    const madeUp = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[\w-]{0,40}$/),
      fc.tuple(fc.maxSafeNat(), fc.maxSafeNat(), fc.nat(1_200)).map(parts => parts.join('-')),
      fc.nat(2 ** 40).map(ms => newFileId(3, ms)),
      fc.nat(2 ** 40).map(ms => newBatchId('openai', 3, ms)),
      fc.nat(2 ** 40).map(ms => newBatchId('anthropic', 3, ms)),
      fc.nat(2 ** 40).map(ms => batchJobId(newBatchId('anthropic', 3, ms), 7)),
      fc.constantFrom(
        '-',
        '+',
        '(',
        '[',
        '0-0-0',
        '9'.repeat(60),
        `${'9'.repeat(16)}-${'9'.repeat(16)}-999`,
        '\0',
      ),
    )
    const place = fc.constantFrom(
      ['/v1/jobs', 'cursor'],
      ['/v1/files', 'after'],
      ['/v1/batches', 'after'],
      ['/v1/messages/batches', 'after_id'],
      ['/v1/messages/batches', 'before_id'],
    )

    it('is a place in the list or refused with 400, and never a failure', async () => {
      await fc.assert(
        fc.asyncProperty(place, madeUp, async ([path, param], text) => {
          const url = `${path}?${new URLSearchParams([[param!, text.toWellFormed()]])}`
          const { statusCode, body } = await api.app.inject({ method: 'GET', url })
          expect([200, 400]).toContain(statusCode)
          const json = JSON.parse(body)
          if (statusCode === 200) expect(json.data).toEqual([])
          else expect(JSON.stringify(json.error)).toContain('invalid_cursor')
        }),
        runs(400),
      )
    })
  })
})
