import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'

const sent = async (type: string, endpoint: Endpoint, text: string, rest = {}) => {
  const upstream = await openUpstream(answering(200, {}))
  const provider = openProvider({ type, api_key: 'k', base_url: `${upstream.url}/v1` })
  await provider.call(requestOf(endpoint, text, { model: 'claude-sonnet-4-5', ...rest }))
  return upstream.arrivals[0]!.text
}

describe('repairs of native requests', () => {
  describe('a messages request to Anthropic itself', () => {
    const toAnthropic = (text: string, rest = {}) => sent('anthropic', '/v1/messages', text, rest)

    test.each([
      ['the limit of the config', { maxOutputTokens: 777 }, 777],
      ['what the model is known to allow', {}, 64_000],
      ['what every model allows', { model: 'house-model' }, 4_096],
    ])('is given %s where it has none', async (_, rest, limit) => {
      const model = JSON.stringify('model' in rest ? rest.model : 'claude-sonnet-4-5')
      expect(await toAnthropic(`{ "model":${model}, "messages":[] , "big":12345678901234567890}`, rest)).toBe(
        `{"max_tokens":${limit}, "model":${model}, "messages":[] , "big":12345678901234567890}`,
      )
      expect(await toAnthropic(`{"model":${model},"max_tokens":null}`, rest)).toBe(
        `{"max_tokens":${limit},"model":${model}}`,
      )
    })

    const model = '"model":"claude-sonnet-4-5","max_tokens":5'

    test.each([
      // Nulls that say nothing go, those within values stay.
      [`{${model},"top_p":null,"system":"null"}`, `{${model},"system":"null"}`],
      [`{"system":null , "stop_sequences" : null,${model}}`, `{${model}}`],
      [
        `{${model},"tools":[{"name":"f","description":null,"input_schema":{"default":null}}],"tool_choice":{"type":"auto","name":null}}`,
        `{${model},"tools":[{"name":"f","input_schema":{"default":null}}],"tool_choice":{"type":"auto"}}`,
      ],
      [
        `{${model},"messages":[{"role":"assistant","name":null,"content":[{"citations":null,"type":"text","text":"null"},{"type":"tool_use","id":"a","input":{"x":null}}]}]}`,
        `{${model},"messages":[{"role":"assistant","content":[{"type":"text","text":"null"},{"type":"tool_use","id":"a","input":{"x":null}}]}]}`,
      ],
      // Media types.
      [
        `{${model},"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/jpg","data":"/9j/"}}]}]}`,
        `{${model},"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"/9j/"}}]}]}`,
      ],
      [
        `{${model},"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{"media_type":"IMAGE/PNG; q=1"}}]}]}]}`,
        `{${model},"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{"media_type":"image/png"}}]}]}]}`,
      ],
      // Ids of other models, the same in call and result.
      [
        `{${model},"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"f:0","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"f:0"}]}]}`,
        `{${model},"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"f_0","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"f_0"}]}]}`,
      ],
      // Reasoning that nobody signed.
      [
        `{${model},"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"baton-unsigned"}, {"type":"text","text":"a"}]}]}`,
        `{${model},"messages":[{"role":"assistant","content":[ {"type":"text","text":"a"}]}]}`,
      ],
      // Nothing to mend: to the byte.
      [`{ ${model} , "messages" : [ 1.0, "\\u0041" ] }`, `{ ${model} , "messages" : [ 1.0, "\\u0041" ] }`],
    ])('%s arrives as %s', async (text, arrives) => {
      expect(await toAnthropic(text)).toBe(arrives)
    })

    test('of any depth keeps every byte', async () => {
      const deep = `{${model},"x":${'['.repeat(20_000)}null${']'.repeat(20_000)}}`
      expect(await toAnthropic(deep)).toBe(deep)
    })
  })

  describe('a chat to OpenAI itself', () => {
    const long = `chatcmpl-tool-${'a'.repeat(37)}`
    const call = (id: string) => `{"id":"${id}","type":"function","function":{"name":"f","arguments":"{}"}}`
    const turns = (id: string) =>
      `{"model":"claude-sonnet-4-5","messages":[{"role":"assistant","tool_calls":[${call(id)}]},{"role":"tool","tool_call_id":"${id}","content":"1"}]}`

    test.each(['openai', 'azure'])('of type %s shortens ids, alike in call and result', async type => {
      const arrived = await sent(type, '/v1/chat/completions', turns(long))
      const [id] = /call_[0-9a-f]{24}/.exec(arrived)!
      expect(arrived).toBe(turns(id!))
      expect(await sent(type, '/v1/chat/completions', turns(long))).toBe(arrived)
    })

    test('leaves reasoning of other models out', async () => {
      const message = `"role":"assistant","content":"a"`
      const text = `{"model":"claude-sonnet-4-5","messages":[{"reasoning_content":"hm",${message}, "thinking_blocks":[]}],"reasoning":"kept"}`
      expect(await sent('openai', '/v1/chat/completions', text)).toBe(
        `{"model":"claude-sonnet-4-5","messages":[{${message}}],"reasoning":"kept"}`,
      )
    })

    test('is left as it is where the models behind it want their reasoning back', async () => {
      const text = `{"model":"claude-sonnet-4-5","messages":[{"role":"assistant","reasoning_content":"hm"}]}`
      expect(await sent('openai-compatible', '/v1/chat/completions', text)).toBe(text)
      expect(await sent('openai-compatible', '/v1/chat/completions', turns(long))).toBe(turns(long))
    })
  })
})
