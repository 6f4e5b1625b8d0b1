import { describe, expect, it } from 'vitest'
import { type Patient, patienceOf } from '../../../src/domain/routing/patience.ts'

const hourMs = 3_600_000
const nowMs = 1_000

describe('how long a job waits for room before it goes to the next target', () => {
  it.each<[string, Omit<Patient, 'expiresAtMs'>, number, number | null, number]>([
    ['a job of its own', {}, 24 * hourMs, null, 2_000],
    ['a waiting connection', {}, 570_000, null, 2_000],
    ['a line with a day left', { line: 1 }, 24 * hourMs, null, 600_000],
    ['a line with an hour left', { line: 1 }, hourMs, null, 36_000],
    ['a line with a minute left', { line: 1 }, 60_000, null, 2_000],
    ['a line with ten seconds left', { line: 1 }, 10_000, null, 1_000],
    ['a line that is past its deadline', { line: 1 }, -5, null, 0],
    ['a line of a batch that is late', { line: 1, urgent: true }, 24 * hourMs, null, 0],
    ['a job whose route says so', {}, 24 * hourMs, 30_000, 30_000],
    ['a line whose route says so', { line: 1 }, 24 * hourMs, 0, 0],
    ['a job near its deadline, whatever the route says', {}, 20_000, 30_000, 2_000],
  ])('%s', (_, job, leftMs, setMs, expected) => {
    expect(patienceOf({ ...job, expiresAtMs: nowMs + leftMs }, setMs, nowMs)).toBe(expected)
  })
})
