import { afterAll, describe, expect, it } from 'vitest'
import type { JobMove, Target } from '../../src/domain/job.ts'
import type { Claim } from '../../src/jobs/types.ts'
import { jobView } from '../../src/jobs/view.ts'
import { openStore } from './store-fixture.ts'

const { store, redis, keys, clock, created, running, claimed, close } = openStore()
afterAll(close)

const first: Target = { provider: 'first', model: 'a model/with spaces' }
const second: Target = { provider: 'second', model: 'm' }
const skipped: JobMove = { kind: 'skipped', at: 1_765_000_000.001, hop: 0, ...first, reason: 'down' }
const parkedUntil = (until: number): JobMove => ({
  kind: 'parked',
  at: 1_765_000_000.5,
  hop: 1,
  ...second,
  reason: 'throttled',
  until,
})

const park = (claim: Claim, note: JobMove) => {
  const move = {
    hop: 1,
    generation: claim.generation + 1,
    target: second,
    attemptsSpent: 0,
    attempts: [],
    note,
  }
  return store.park(claim, move, clock.nowMs)
}

describe('moves of a job', () => {
  it('tells the moves that no call explains, and nothing of those that one does', async () => {
    const claim = await running({ target: first })
    const moveTo = (note?: JobMove) => ({
      ...{ hop: claim.hop + 1, generation: 0, target: second, attemptsSpent: 0, attempts: [] },
      ...(note && { note }),
    })
    await store.advance(claim, moveTo(skipped), clock.nowMs)
    const next = await claimed(claim.id, 'w2')
    const parked = parkedUntil(1_765_000_020.25)
    await park(next, parked)
    expect((await store.read(claim.id))!.moves).toEqual([skipped, parked])
    expect((await store.readHeads([claim.id]))[0]!.moves).toEqual([skipped, parked])

    const other = await running()
    expect(jobView((await store.read(other.id))!)).not.toHaveProperty('moves')
    await store.advance(other, moveTo(), clock.nowMs)
    expect((await store.read(other.id))!.moves).toEqual([])
    expect(await redis.hexists(keys.record(other.id), 'moves')).toBe(0)
  })

  it('tells from its beginning why a job was not sent to the first of its route', async () => {
    const id = await created({ moves: [skipped, { ...skipped, reason: 'paused' }] })
    expect((await store.read(id))!.moves).toEqual([skipped, { ...skipped, reason: 'paused' }])
  })

  it('keeps the latest of many, and the record compact', async () => {
    let claim = await running({ target: second })
    for (let i = 1; i <= 100; i++) {
      await park(claim, parkedUntil(1_765_000_000 + i))
      claim = await claimed(claim.id, `w${i}`)
    }
    const { moves } = (await store.read(claim.id))!
    expect(moves.length).toBeGreaterThan(10)
    expect(moves.map(({ until }) => until)).toEqual(
      Array.from({ length: moves.length }, (_, i) => 1_765_000_101 - moves.length + i),
    )
    expect(await redis.object('ENCODING', keys.record(claim.id))).toBe('listpack')
  })
})
