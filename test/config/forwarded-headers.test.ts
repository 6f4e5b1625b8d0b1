import { describe, expect, it } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'

const read = (names: readonly unknown[]) => configSchema.safeParse({ server: { forward_headers: names } })

describe('forward_headers', () => {
  it('takes names of headers in any case', () => {
    expect(read(['X-Team', 'traceparent']).data?.server.forward_headers).toEqual(['x-team', 'traceparent'])
  })

  it.each([
    ['Authorization', 'shows who asks'],
    ['x-api-key', 'shows who asks'],
    ['API-Key', 'shows who asks'],
    ['x-goog-api-key', 'shows who asks'],
    ['Cookie', 'shows who asks'],
    ['Set-Cookie', 'shows who asks'],
    ['X-Amz-Security-Token', 'shows who asks'],
    ['x-forwarded-for', 'shows who asks'],
    ['Connection', 'belongs to one connection'],
    ['Transfer-Encoding', 'belongs to one connection'],
    ['host', 'belongs to one connection'],
    ['Content-Length', 'tells of the body'],
    ['content-encoding', 'tells of the body'],
    ['Accept-Encoding', 'tells of the body'],
    ['Idempotency-Key', 'is read by this server'],
    ['x-baton-timeout', 'is read by this server'],
    ['Anthropic-Version', 'is pinned'],
    ['two words', 'expected the name of an HTTP header'],
    ['', 'expected the name of an HTTP header'],
    ['x\r\ny', 'expected the name of an HTTP header'],
  ])('refuses %j', (name, why) => {
    expect(read([name]).error?.issues[0]?.message).toContain(why)
  })
})
