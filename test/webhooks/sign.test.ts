import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { signedHeaders } from '../../src/webhooks/sign.ts'

const vectors = [
  {
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestampSec: 1614265330,
    body: '{"test": 2432232314}',
    signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  {
    secret: 'whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=',
    id: 'msg_0001',
    timestampSec: 1765000001,
    body: '{"object":"event","id":"evt_0001","type":"batch.completed","created_at":1765000000,"data":{"id":"batch_0001"}}',
    signature: 'v1,P9kmcTvr+7Ha9ggFnLOwe2Yfosv0tNjGr2OPUg2N0xA=',
  },
]

describe('the webhook signature', () => {
  test.each(vectors)('signs the published vector $id', ({ secret, signature, ...delivery }) => {
    expect(signedHeaders({ ...delivery, secrets: [secret] })).toEqual({
      'webhook-id': delivery.id,
      'webhook-timestamp': String(delivery.timestampSec),
      'webhook-signature': signature,
    })
  })

  test.each([
    ['of 24 bytes', Buffer.alloc(24, 1).toString('base64')],
    ['of 25 bytes, padded', Buffer.alloc(25, 2).toString('base64')],
    ['of 26 bytes, whose padding was lost', Buffer.alloc(26, 3).toString('base64').replace(/=+$/, '')],
    ['of 64 bytes, with + and /', Buffer.alloc(64, 0xfb).toString('base64')],
  ])('signs as the specification’s library does, with a secret %s', (_, base64) => {
    const body = '{"grüße":"😀"}'
    const timestampSec = Math.floor(Date.now() / 1_000)
    for (const secret of [`whsec_${base64}`, base64]) {
      const { 'webhook-signature': signature } = signedHeaders({
        id: 'evt_1',
        timestampSec,
        body,
        secrets: [secret],
      })
      expect(signature).toBe(new Webhook(secret).sign('evt_1', new Date(timestampSec * 1_000), body))
    }
  })

  test('signs whatever the specification’s library signs, and just as that does', () => {
    const secret = fc.tuple(
      fc.constantFrom('', 'whsec_'),
      fc.string({ unit: fc.constantFrom(...'ABab01+/'), minLength: 1, maxLength: 90 }),
      fc.constantFrom('', '=', '=='),
    )
    fc.assert(
      fc.property(secret, fc.string({ unit: 'grapheme' }), (parts, body) => {
        const text = parts.join('')
        const byLibrary = signedByLibrary(text, body)
        if (byLibrary === null) return
        const headers = signedHeaders({ id: 'evt_1', timestampSec: 1_765_000_001, body, secrets: [text] })
        expect(headers['webhook-signature']).toBe(byLibrary)
      }),
      { numRuns: 500 },
    )
  })

  /** Null for a secret that it does not take. */
  const signedByLibrary = (secret: string, body: string): string | null => {
    try {
      return new Webhook(secret).sign('evt_1', new Date(1_765_000_001_000), body)
    } catch {
      return null
    }
  }

  test.each(['', 'whsec_', 'whsec_!', 'whsec_ab-_', 'whsec_abc===', 'whsec_a b'])(
    'does not sign with "%s"',
    secret => {
      expect(() => signedHeaders({ id: 'evt_1', timestampSec: 1, body: '{}', secrets: [secret] })).toThrow()
    },
  )

  test('goes on signing right after more secrets than it remembers', () => {
    const signatureBy = (i: number): string => {
      const secret = `whsec_${Buffer.alloc(24, String(i)).toString('base64')}`
      return signedHeaders({ id: 'evt_1', timestampSec: 1, body: '{}', secrets: [secret] })[
        'webhook-signature'
      ]
    }
    const first = signatureBy(0)
    for (let i = 1; i <= 1_001; i++) signatureBy(i)
    expect(signatureBy(0)).toBe(first)
  })

  test('while secrets rotate, a receiver that knows either one verifies', () => {
    const secrets = vectors.map(({ secret }) => secret)
    const body = '{"grüße":1}'
    const headers = {
      ...signedHeaders({ id: 'evt_1', timestampSec: Math.floor(Date.now() / 1_000), body, secrets }),
    }
    for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual({ grüße: 1 })
    expect(() => new Webhook('c2VjcmV0').verify(body, headers)).toThrow('No matching signature')
  })
})
