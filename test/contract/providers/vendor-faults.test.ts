import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import { nowMs, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { answered, bodyFor, chats, messages, openVendor, vendors } from './vendors/all.ts'
import type { ErrorCase } from './vendors/vendor.ts'

const cases: readonly ErrorCase[] = [
  'throttled',
  'internal',
  'unavailable',
  'bad key',
  'unknown model',
  'too long',
]

describe('faults as vendors word them', () => {
  describe.each(vendors)('$name', vendor => {
    describe.each([chats, messages] as const)('%s', endpoint => {
      const request = (more: object = {}) =>
        requestOf(endpoint, bodyFor(endpoint), { model: vendor.model, apiKey: vendor.key, ...more })

      test.each(cases)('%s', async name => {
        const error = vendor.errors[name]
        const { provider, outcome, arrivals } = await answered(vendor, endpoint, error)
        expect(outcome).toMatchObject({
          kind: 'answer',
          status: error.status,
          text: JSON.stringify(error.body),
        })
        expect(arrivals, 'a POST is never repeated').toHaveLength(1)
        const verdict = classify(outcome, { endpoint, dialect: provider.dialect, nowMs })
        expect(`${verdict.kind}/${verdict.reason}`).toBe(error.verdict)
        expect(verdict.retryAfterMs).toBe(error.retryAfterMs ?? null)
        expect(verdict.possiblyBilled).toBe(false)
      })

      test('a call that is cancelled while it runs', async () => {
        const cancel = new AbortController()
        const upstream = await openUpstream(() => cancel.abort(new Error('cancelled')))
        const provider = await openVendor(vendor, upstream)
        expect(await provider.call(request({ signal: cancel.signal }))).toMatchObject({
          kind: 'break',
          reason: 'aborted',
          sent: true,
          cause: { message: 'cancelled' },
        })
      })

      test('a call that is cancelled before it began', async () => {
        const upstream = await openUpstream(answering(200, {}))
        const provider = await openVendor(vendor, upstream)
        expect(await provider.call(request({ signal: AbortSignal.abort() }))).toMatchObject({
          kind: 'break',
          reason: 'aborted',
          sent: false,
        })
        expect(upstream.arrivals).toEqual([])
      })

      test('an answer that is too large', async () => {
        const upstream = await openUpstream(answering(200, vendor.answer({ text: 'x'.repeat(5_000) })))
        const provider = await openVendor(vendor, upstream, { max_response_bytes: 4_000 })
        expect(await provider.call(request())).toMatchObject({
          kind: 'answer',
          status: 200,
          unread: 'too_large',
        })
      })

      test('no answer in time', async () => {
        const upstream = await openUpstream(() => {})
        // Long enough to have sent the request, on a busy machine too.
        const provider = await openVendor(vendor, upstream, { timeout: '1s' })
        expect(await provider.call(request())).toMatchObject({ kind: 'break', reason: 'timeout', sent: true })
      })

      test('a connection that breaks off in the middle', async () => {
        const upstream = await openUpstream((_request, response) =>
          response.write('{"half":', () => response.destroy()),
        )
        const provider = await openVendor(vendor, upstream)
        expect(await provider.call(request())).toMatchObject({ kind: 'break', reason: 'reset', sent: true })
      })

      test.each(['["list"]', '{"another":"server"}', '<html>portal</html>'])(
        'an answer in another shape is lost, and comes as it is: %s',
        async body => {
          const upstream = await openUpstream(answering(200, body))
          const provider = await openVendor(vendor, upstream)
          const outcome = await provider.call(request())
          expect(outcome).toMatchObject({ kind: 'answer', status: 200, text: body })
          const verdict = classify(outcome, { endpoint, dialect: provider.dialect, nowMs })
          expect(verdict).toMatchObject({ kind: 'transient', possiblyBilled: true })
        },
      )
    })

    test('an error from a proxy in between is nobody’s verdict on the request', async () => {
      const upstream = await openUpstream(answering(404, '<html>not here</html>'))
      const provider = await openVendor(vendor, upstream)
      const outcome = await provider.call(
        requestOf(chats, bodyFor(chats), { model: vendor.model, apiKey: vendor.key }),
      )
      const verdict = classify(outcome, { endpoint: chats, dialect: provider.dialect, nowMs })
      expect(verdict).toMatchObject({ kind: 'transient', reason: 'http_404' })
    })

    test('headers of the config go along and win', async () => {
      const upstream = await openUpstream(answering(200, vendor.answer({ text: 'x' })))
      const headers = { Authorization: 'Custom', 'x-tenant': 'a' }
      const provider = await openVendor(vendor, upstream, { headers })
      await provider.call(requestOf(chats, bodyFor(chats), { model: vendor.model, apiKey: vendor.key }))
      expect(upstream.arrivals[0]!.headers).toMatchObject({ authorization: 'Custom', 'x-tenant': 'a' })
    })

    test('a request that cannot be put into words is beyond this provider, and unsent', async () => {
      const upstream = await openUpstream(answering(200, {}))
      const provider = await openVendor(vendor, upstream)
      const body = { model: 'm', messages: [{ role: 'oracle', content: 'SECRET' }] }
      const outcome = await provider.call(requestOf(chats, body, { model: vendor.model, apiKey: vendor.key }))
      expect(outcome).toMatchObject({ status: 400, json: { error: { code: 'untranslatable' } } })
      const verdict = classify(outcome, { endpoint: chats, dialect: provider.dialect, nowMs })
      expect(verdict).toMatchObject({ kind: 'unsupported', possiblyBilled: false })
      expect(inspect(outcome, { depth: null })).not.toContain('SECRET')
      expect(upstream.arrivals).toEqual([])
    })
  })
})
