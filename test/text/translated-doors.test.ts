import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RecordingUpstream, startUpstream } from '../contract/providers/recording-upstream.ts'
import { deepJson } from '../json/any-json.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

let upstream: RecordingUpstream
let baton: BatonApi

const input = `{"id":2512292042121000001,"deep":${deepJson(20_000)}}`
const answer =
  `{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"tool_use","id":"toolu_1","name":"find",` +
  `"input":${input}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":4}}`

beforeAll(async () => {
  upstream = await startUpstream((_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer),
  )
  baton = await openBaton({
    level: 'api',
    config: {
      providers: { claude: { type: 'anthropic', base_url: upstream.url, api_key: 'k' } },
      models: { 'claude-sonnet-4-5': { provider: 'claude' } },
    },
  })
})
afterAll(async () => {
  await baton.stop()
  await upstream.close()
})
beforeEach(() => {
  upstream.arrivals.length = 0
})

const post = async (parameters: string, earlier = '{}') => {
  const response = await fetch(`${baton.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body:
      `{"model":"claude-sonnet-4-5","tools":[{"type":"function","function":{"name":"find","parameters":${parameters}}}],` +
      `"messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"toolu_0","type":"function",` +
      `"function":{"name":"find","arguments":${JSON.stringify(earlier)}}}]},` +
      `{"role":"tool","tool_call_id":"toolu_0","content":"found"}]}`,
  })
  return { status: response.status, text: await response.text() }
}

describe('deeply nested requests', () => {
  it('what is nested 20,000 deep comes through a door that translates, both ways, in one call', async () => {
    const { status, text } = await post('{"type":"object"}', input)
    expect(status).toBe(200)
    expect(text).toContain(`"arguments":${JSON.stringify(input)}`)
    expect(upstream.arrivals).toHaveLength(1)
    expect(upstream.arrivals[0]!.text).toContain(`"input":${input}`)
  })

  it('a schema that is nested too deeply for it is refused in words, without a call', async () => {
    const { status, text } = await post(`{"type":"object","default":${deepJson(20_000)}}`)
    expect(status).toBe(400)
    expect(text).toContain('nested too deeply')
    expect(upstream.arrivals).toEqual([])
  })
})
