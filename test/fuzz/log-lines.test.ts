import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../../src/lifecycle/logger.ts'
import { patienceMs, runs } from './runs.ts'

const secret = 'the-secret-prompt'

const logged = (error: unknown): string => {
  const lines: string[] = []
  createLogger('trace', { write: line => void lines.push(line) }).error({ err: error }, 'failed')
  return lines.join('')
}

/** What libraries hang on their errors: anything, with the secret somewhere in it. */
const { baggage } = fc.letrec<{ baggage: unknown }>(tie => ({
  baggage: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(
      secret,
      Buffer.from(secret),
      new URL(`https://x/${secret}`),
      [secret],
      () => secret,
    ),
    fc.array(tie('baggage'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('request', 'args', 'toJSON', 'message', secret), tie('baggage'), {
      maxKeys: 3,
    }),
    tie('baggage').map(inner => new Map([[secret, inner]])),
  ),
}))
const memberName = fc.constantFrom(
  'command',
  'args',
  'requestBodyValues',
  'responseBody',
  'data',
  'errors',
  'input',
)

const failure = fc
  .tuple(fc.dictionary(memberName, baggage, { minKeys: 1 }), fc.nat(6), fc.boolean())
  .map(([members, causes, isSyntaxError]) => {
    let error: Error = isSyntaxError
      ? new SyntaxError(`Unexpected token in "${secret}"`)
      : Object.assign(new Error('failed'), members)
    for (let i = 0; i < causes; i++) error = Object.assign(new Error('again', { cause: error }), members)
    return error
  })

describe('random log lines', () => {
  describe('a log line', { timeout: patienceMs }, () => {
    it('tells nothing that hangs on an error or its causes', () => {
      fc.assert(
        fc.property(failure, error => {
          const line = logged(error)
          expect(line).not.toContain(secret)
          expect(JSON.parse(line)).toMatchObject({ msg: 'failed', err: { name: error.name } })
        }),
        runs(1_000),
      )
    })

    it('is one line of JSON, whatever was thrown', () => {
      fc.assert(
        fc.property(
          fc.oneof(
            fc.anything(),
            fc.string().map(text => new Error(text)),
            baggage,
          ),
          thrown => {
            const line = logged(thrown)
            expect(line.trimEnd()).not.toContain('\n')
            expect(() => JSON.parse(line)).not.toThrow()
          },
        ),
        runs(2_000),
      )
    })
  })
})
