import { describe, expect, it } from 'vitest'
import { asksForUsage, wantsStream } from '../../../src/domain/streaming/stream-wishes.ts'

describe('wantsStream', () => {
  it.each<[string, boolean]>([
    ['{"model":"m","stream":true}', true],
    ['{"stream" : true , "model":"m"}', true],
    ['{"\\u0073tream":true}', true],
    ['{"stream":false,"stream":true}', true],
    ['{"stream":true,"stream":false}', false],
    ['{"stream":false}', false],
    ['{"stream":"true"}', false],
    ['{"stream":1}', false],
    ['{"metadata":{"stream":true}}', false],
    ['{"messages":[{"content":"\\"stream\\":true"}]}', false],
    ['{}', false],
    ['[{"stream":true}]', false],
    ['not JSON "stream":true', false],
  ])('%s: %s', (text, expected) => {
    expect(wantsStream(text)).toBe(expected)
  })

  it.each([
    [{ stream: true }, true],
    [{ stream: 'true' }, false],
    [{}, false],
  ])('parsed %j: %s', (body, expected) => {
    expect(wantsStream(body)).toBe(expected)
  })
})

describe('asksForUsage', () => {
  it.each<[string, boolean]>([
    ['{"stream_options":{"include_usage":true}}', true],
    ['{"stream_options":{"include_obfuscation":false,"include_usage":true},"stream":true}', true],
    ['{"stream_options":{"include_usage":false}}', false],
    ['{"stream_options":null}', false],
    ['{"include_usage":true}', false],
    ['{}', false],
  ])('%s: %s', (text, expected) => {
    expect(asksForUsage(text)).toBe(expected)
    expect(asksForUsage(JSON.parse(text))).toBe(expected)
  })
})
