import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestApi, type TestApi } from '../api/test-api.ts'
import { patienceMs, runs } from './runs.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const post = async (key: string, payload: object) => {
  const { statusCode, headers, body } = await api.app.inject({
    method: 'POST',
    url: '/v1/jobs',
    headers: { 'idempotency-key': key, 'content-type': 'application/json' },
    payload: JSON.stringify(payload),
  })
  return { status: statusCode, isReplayed: headers['idempotent-replayed'] === 'true', json: JSON.parse(body) }
}

// Names apart from those that mean something to objects, and to JSON.parse (see output-lines.test.ts).
const name = fc.stringMatching(/^[a-z]{1,8}$/)
const body = fc
  .tuple(
    fc.dictionary(name, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
    fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
  )
  .map(([more, texts]) => {
    const { stream: _, ...rest } = more
    return { ...rest, model: 'gpt-4', messages: texts.map(content => ({ role: 'user', content })) }
  })
  // The JSON parser of the API refuses bodies that name these, however deep.
  .filter(made => !/__proto__|constructor/.test(JSON.stringify(made)))
const request = fc.record(
  {
    body,
    endpoint: fc.constantFrom('/v1/chat/completions', '/v1/messages', '/v1/responses'),
    metadata: fc.dictionary(name, fc.string({ maxLength: 20 }), { maxKeys: 3 }),
    completion_window: fc.constantFrom('1h', '60m', '24h', '7d'),
    priority: fc.constantFrom('default', 'low', 'high'),
  },
  { requiredKeys: ['body'] },
)

/** What the service makes of it: defaults filled in, and the same time in whatever words. */
const meaning = (given: Record<string, unknown>): string => {
  const { endpoint = '/v1/chat/completions', priority = 'default', metadata, completion_window } = given
  const window = completion_window === '60m' ? '1h' : completion_window
  return JSON.stringify([given.body, endpoint, metadata, window, priority])
}

describe('random idempotency keys', () => {
  describe('an Idempotency-Key', { timeout: patienceMs }, () => {
    it('gives the first job to the same request, and to no other', async () => {
      const other = fc.option(request)
      await fc.assert(
        fc.asyncProperty(request, other, fc.boolean(), async (first, second, takesBody) => {
          const key = randomUUID()
          const again = second === null ? first : takesBody ? { ...second, body: first.body } : second
          const one = await post(key, first)
          const two = await post(key, again)
          expect([one.status, one.isReplayed]).toEqual([202, false])
          const isSame =
            meaning(JSON.parse(JSON.stringify(first))) === meaning(JSON.parse(JSON.stringify(again)))
          if (isSame) expect([two.status, two.isReplayed, two.json.id]).toEqual([202, true, one.json.id])
          else expect([two.status, two.json.error.code]).toEqual([422, 'idempotency_key_reused'])
        }),
        runs(200),
      )
    })

    it('is taken or refused, whatever it is', async () => {
      const key = fc.oneof(
        fc.stringMatching(/^[\x20-\x7e]{0,300}$/),
        fc.constantFrom(
          '',
          ' ',
          'a b',
          'x'.repeat(255),
          'x'.repeat(256),
          '{0}:schedule',
          '*',
          '__proto__',
          '1 2',
        ),
      )
      await fc.assert(
        fc.asyncProperty(key, async text => {
          const { status, json } = await post(text, {
            body: { model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] },
          })
          const isGood = /^[\x21-\x7e]{1,255}$/.test(text.trim())
          expect(status === 202 || (status === 400 && json.error.code === 'invalid_request')).toBe(true)
          if (text === text.trim()) expect(status === 202).toBe(isGood)
        }),
        runs(150),
      )
    })
  })
})
