import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
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

test.each(vectors)('signs the published vector $id', ({ secret, signature, ...delivery }) => {
  expect(signedHeaders({ ...delivery, secrets: [secret] })).toEqual({
    'webhook-id': delivery.id,
    'webhook-timestamp': String(delivery.timestampSec),
    'webhook-signature': signature,
  })
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
