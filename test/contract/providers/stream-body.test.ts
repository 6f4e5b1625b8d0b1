import { describe, expect, test } from 'vitest'
import { streamBodyOf } from '../../../src/providers/stream-body.ts'

const asked = '"stream_options":{"include_usage":true}'

describe('the body of a request for a stream', () => {
  test.each([
    ['{"stream":true}', `{${asked},"stream":true}`, false],
    ['{"a":1e400}', `{"stream":true,${asked},"a":1e400}`, false],
    ['{"stream": false ,"a":1}', `{${asked},"stream": true ,"a":1}`, false],
    ['{}', `{"stream":true,${asked}}`, false],
    ['{"stream":true,"stream_options":null}', `{"stream":true,${asked}}`, false],
    [
      '{"stream":true,"stream_options":{"include_obfuscation":false}}',
      '{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}',
      false,
    ],
    ['{"stream":true,"stream_options":{}}', `{"stream":true,${asked}}`, false],
    ['{"stream":true,"stream_options":{"include_usage":false}}', `{"stream":true,${asked}}`, false],
    [`{"stream":true,${asked}}`, `{"stream":true,${asked}}`, true],
    ['{"stream":true,"stream_options":7}', '{"stream":true,"stream_options":7}', true],
    ['no json', 'no json', true],
  ])('%s is sent as %s', (text, sent, showsUsage) => {
    expect(streamBodyOf(text, '/v1/chat/completions')).toEqual({ text: sent, showsUsage })
  })

  test.each(['/v1/messages', '/v1/responses'] as const)('%s always tells its usage', endpoint => {
    expect(streamBodyOf('{"stream":true}', endpoint)).toEqual({ text: '{"stream":true}', showsUsage: true })
    expect(streamBodyOf('{"a":1}', endpoint).text).toBe('{"stream":true,"a":1}')
  })
})
