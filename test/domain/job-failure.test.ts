import { describe, expect, it } from 'vitest'
import type { VerdictKind } from '../../src/domain/classify/verdict.ts'
import { type Attempt, type JobErrorCode, jobErrorCodes } from '../../src/domain/job.ts'
import { explainError, toldFailure } from '../../src/domain/job-failure.ts'

const attempt = (verdict: VerdictKind | null, status_code: number | null, message?: string): Attempt => ({
  hop: 0,
  provider: 'claude',
  model: 'opus',
  started_at: 1,
  duration_ms: 1,
  status_code,
  verdict,
  reason: 'r',
  possibly_billed: false,
  ...(message !== undefined && { error: { code: 'own_code', message } }),
})
const errorOf = (code: JobErrorCode) => ({ code, message: jobErrorCodes[code] })
const last = { provider: 'claude', model: 'opus', code: 'own_code' }

describe('errors of jobs', () => {
  describe('a job that failed', () => {
    it.each(['attempts_exhausted', 'expired', 'no_usable_target'] as const)(
      'as %s tells who failed it last, and how',
      code => {
        const attempts = [attempt('transient', 500, 'First.'), attempt('bad_credentials', 401, 'No key.')]
        expect(explainError(errorOf(code), attempts, null)).toEqual({
          code,
          message: `${jobErrorCodes[code]} Last, claude/opus answered 401 (own_code): No key.`,
          last_error: { ...last, status_code: 401, message: 'No key.' },
        })
      },
    )

    it.each([
      ['upstream_rejected', 'rejected'],
      ['context_length_exceeded', 'too_long'],
      ['refused', 'refused'],
    ] as const)('as %s tells what that was told by the provider that judged it', (code, verdict) => {
      const attempts = [attempt(verdict, 400, 'Your fault.'), attempt('transient', 503, 'Away.')]
      const { message, last_error } = explainError(errorOf(code), attempts, null)
      expect(message).toBe('claude/opus answered 400 (own_code): Your fault.')
      expect(last_error).toEqual({ ...last, status_code: 400, message: 'Your fault.' })
    })

    it('without a call of its own tells what was known of its targets', () => {
      const known = { ...last, status_code: 401, message: 'No key.' }
      expect(explainError(errorOf('expired'), [], known).last_error).toEqual(known)
      expect(explainError(errorOf('expired'), [], null)).toEqual(errorOf('expired'))
    })

    it('because a client cancelled it blames no provider', () => {
      const attempts = [attempt('transient', 500, 'First.')]
      expect(explainError(errorOf('cancelled'), attempts, null)).toEqual(errorOf('cancelled'))
    })
  })

  describe('a client that waits', () => {
    const judged = (code: JobErrorCode, status_code: number) =>
      toldFailure({ ...errorOf(code), last_error: { ...last, status_code, message: 'No.' } }, 400)

    it.each([
      ['upstream_rejected', 422, { status: 422, code: 'own_code', message: 'No.' }],
      ['upstream_rejected', 413, { status: 413, code: 'own_code', message: 'No.' }],
      ['upstream_rejected', 403, { status: 400, code: 'own_code', message: 'No.' }],
      ['upstream_rejected', 200, { status: 400, code: 'own_code', message: 'No.' }],
      ['context_length_exceeded', 400, { status: 400, code: 'context_length_exceeded', message: 'No.' }],
      ['refused', 400, { status: 400, code: 'own_code', message: 'No.' }],
    ] as const)('is told of %s with %d as %j', (code, status, told) =>
      expect(judged(code, status)).toEqual(told),
    )

    it('is never told of a bad key as if it were its own', () => {
      const error = { ...errorOf('expired'), last_error: { ...last, status_code: 401, message: 'No key.' } }
      expect(toldFailure(error, 504)).toMatchObject({ status: 504, code: 'expired' })
    })
  })
})
