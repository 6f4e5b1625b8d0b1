import { describe, expect, it } from 'vitest'
import type { Attempt } from '../../src/domain/job.ts'
import { type Placed, placeOf } from '../../src/domain/place.ts'

const job: Placed = { tenant: 't', priority: 'default', createdAtMs: 1_000, expiresAtMs: 900_000, tokens: 7 }

const lost: Attempt = {
  ...{ hop: 0, provider: 'p', model: 'm', started_at: 1, duration_ms: null, status_code: null },
  ...{ verdict: null, reason: 'worker_lost', possibly_billed: true },
}

describe('the place of a job in its queue', () => {
  it.each<[string, Partial<Placed>, string, number]>([
    ['a job', {}, 'default', 900_000],
    ['one of low priority', { priority: 'low' }, 'bulk', 900_000],
    ['one of high priority', { priority: 'high' }, 'interactive', 61_000],
    ['one of a waiting connection', { class: 'interactive' }, 'interactive', 900_000],
    ['a line of a batch', { line: 3 }, 'bulk', 903_000],
    ['one of an urgent batch', { line: 3, urgent: true }, 'default', 903_000],
    ['one whose worker was lost', { attempts: [lost] }, 'default', 4_500_000],
    ['one whose workers were lost twice', { attempts: [lost, lost], line: 3 }, 'bulk', 8_103_000],
  ])('of %s', (_, more, expected, dueMs) => {
    expect(placeOf({ ...job, ...more })).toEqual({ tenant: 't', class: expected, dueMs, tokens: 7 })
  })
})
