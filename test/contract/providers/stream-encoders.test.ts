import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
} from '@ai-sdk/provider'
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAnswerFold } from '../../../src/domain/streaming/create-answer-fold.ts'
import type { SseEvent } from '../../../src/domain/streaming/sse-event.ts'
import { chatAdapter, messagesAdapter, responsesAdapter } from '../../../src/providers/formats/adapters.ts'
import { MalformedAnswerError } from '../../../src/providers/formats/format-adapter.ts'
import { commonSupport, wordNames } from '../../../src/providers/formats/supported.ts'
import { ToolNames } from '../../../src/providers/formats/tool-names.ts'

const toolNames = new ToolNames(wordNames(64))
const sentName = toolNames.sent('örtliche suche')
const facts = { id: 'made', model: 'the-model', created: 1_765_000_000, toolNames, request: { user: 'me' } }
const usage = {
  inputTokens: { total: 17, noCache: 10, cacheRead: 5, cacheWrite: 2 },
  outputTokens: { total: 8, text: 2, reasoning: 6 },
}

const chat = chatAdapter(commonSupport)
const messages = messagesAdapter(commonSupport)
const responses = responsesAdapter(commonSupport)

type Result = LanguageModelV4GenerateResult

/** As JSON has it. */
const written = (value: unknown): object => JSON.parse(JSON.stringify(value))

const resultOf = (content: LanguageModelV4Content[], finish: LanguageModelV4FinishReason): Result => ({
  content,
  finishReason: finish,
  usage,
  warnings: [],
  response: { id: 'their-id' },
})

const stop: LanguageModelV4FinishReason = { unified: 'stop', raw: 'stop' }

const finishPart = (finishReason: LanguageModelV4FinishReason): LanguageModelV4StreamPart => ({
  type: 'finish',
  finishReason,
  usage,
})

/** The same in parts, each text in pieces of so many characters. */
const partsOf = (content: readonly LanguageModelV4Content[], size: number): LanguageModelV4StreamPart[][] =>
  content.map((part, index): LanguageModelV4StreamPart[] => {
    const id = String(index)
    const pieces = (text: string) => text.match(new RegExp(`.{1,${size}}`, 'gsu')) ?? []
    switch (part.type) {
      case 'text':
        return [
          { type: 'text-start', id },
          ...pieces(part.text).map(delta => ({ type: 'text-delta', id, delta }) as const),
          { type: 'text-end', id },
        ]
      case 'reasoning':
        return [
          { type: 'reasoning-start', id },
          ...pieces(part.text).map(delta => ({ type: 'reasoning-delta', id, delta }) as const),
          { type: 'reasoning-delta', id, delta: '', providerMetadata: part.providerMetadata ?? {} },
          { type: 'reasoning-end', id },
        ]
      case 'tool-call': {
        const { toolCallId, toolName, input } = part
        return [
          { type: 'tool-input-start', id: toolCallId, toolName },
          ...pieces(input).map(delta => ({ type: 'tool-input-delta', id: toolCallId, delta }) as const),
          { type: 'tool-input-end', id: toolCallId },
          part,
        ]
      }
      default:
        return [part as LanguageModelV4StreamPart]
    }
  })

const encode = (adapter: typeof chat, parts: readonly LanguageModelV4StreamPart[]): SseEvent[] => {
  const encoder = adapter.toEvents(facts)
  return [{ type: 'response-metadata', id: 'their-id' } as const, ...parts].flatMap(part => [
    ...encoder.take(part),
  ])
}

const asChat = (parts: readonly LanguageModelV4StreamPart[]) => {
  const fold = createAnswerFold('/v1/chat/completions')
  const kinds = encode(chat, parts).map(event => fold.take(event))
  expect(kinds.at(-1)).toBe('end')
  return fold.answer()
}

/** As Anthropic's own client puts it together. */
const asMessage = async (parts: readonly LanguageModelV4StreamPart[]) => {
  const lines = encode(messages, parts).map(({ name, data }) => {
    expect(name).toBe((JSON.parse(data!) as { type: string }).type)
    return `${data}\n`
  })
  const stream = MessageStream.fromReadableStream(
    ReadableStream.from(lines.map(line => new TextEncoder().encode(line))) as ReadableStream,
  )
  return written(await stream.finalMessage())
}

/** The same from the events of its items, and from the last event, which has all of it. */
const asResponse = (parts: readonly LanguageModelV4StreamPart[]) => {
  const events = encode(responses, parts)
  const bodies = events.map(({ data }) => JSON.parse(data!))
  expect(bodies.map(body => body.sequence_number)).toEqual(bodies.map((_, index) => index))
  expect(events.map(({ name }) => name)).toEqual(bodies.map(body => body.type))
  const [whole, inPieces] = [createAnswerFold('/v1/responses'), createAnswerFold('/v1/responses')]
  expect(events.map(event => whole.take(event)).at(-1)).toBe('end')
  for (const event of events.slice(0, -1)) inPieces.take(event)
  expect(inPieces.answer().output).toEqual(whole.answer().output)
  return whole.answer()
}

const text: LanguageModelV4Content = { type: 'text', text: 'four, örtlich' }
const signed: LanguageModelV4Content = {
  type: 'reasoning',
  text: 'two and two',
  providerMetadata: { anthropic: { signature: 's1' } },
}
const redacted: LanguageModelV4Content = {
  type: 'reasoning',
  text: '',
  providerMetadata: { amazonBedrock: { redactedData: 'cmVk' } },
}
const unsignedThought: LanguageModelV4Content = { type: 'reasoning', text: 'well' }
const call = (toolCallId: string, input = '{"q":"x","n":2512292042121000001}'): LanguageModelV4Content => ({
  type: 'tool-call',
  toolCallId,
  toolName: sentName,
  input,
})

const answers: [string, LanguageModelV4Content[], LanguageModelV4FinishReason?][] = [
  ['a text', [text]],
  ['nothing', []],
  ['a text that was cut off', [text], { unified: 'length', raw: 'max_tokens' }],
  ['a refusal', [text], { unified: 'content-filter', raw: 'SAFETY' }],
  ['a turn that wants to go on', [text], { unified: 'stop', raw: 'pause_turn' }],
  ['reasoning without a signature', [unsignedThought, text]],
  ['reasoning with a signature', [signed, text]],
  ['reasoning alone', [unsignedThought]],
  ['redacted reasoning', [redacted, signed, text]],
  ['reasoning between texts', [signed, text, unsignedThought, text]],
  ['a call', [call('c1')], { unified: 'tool-calls', raw: 'tool_use' }],
  ['a call after a text', [text, call('c1')], { unified: 'tool-calls', raw: 'tool_use' }],
  ['two calls', [call('c1'), call('c2', '{}')], { unified: 'tool-calls', raw: 'tool_calls' }],
  ['a call without arguments', [call('c1', '')], { unified: 'tool-calls', raw: 'tool_calls' }],
  ['a call that ended by "stop"', [signed, call('c1')]],
]

describe('the events of a translated stream come to the answer that is given without streaming', () => {
  test.each(answers)('%s', async (_, content, finish = stop) => {
    const result = resultOf(content, finish)
    for (const size of [1, 4, 1000]) {
      const parts = [...partsOf(content, size).flat(), finishPart(finish)]
      expect(asChat(parts)).toEqual(written(chat.fromResult(result, facts)))
      expect(asResponse(parts)).toEqual(written(responses.fromResult(result, facts)))
      expect(await asMessage(parts)).toMatchObject(written(messages.fromResult(result, facts)))
    }
  })
})

/** Events of blocks as they must come: a block begins, grows and ends before the next. */
const expectInOrder = (events: readonly SseEvent[]): void => {
  let open: number | null = null
  let next = 0
  for (const { data } of events) {
    const { type, index } = JSON.parse(data!) as { type: string; index: number }
    if (type === 'content_block_start') {
      expect([open, index]).toEqual([null, next++])
      open = index
    } else if (type.startsWith('content_block_')) {
      expect(index).toBe(open)
      if (type === 'content_block_stop') open = null
    }
  }
  expect(open).toBeNull()
}

describe('reasoning in a response', () => {
  const said = (delta: string): LanguageModelV4StreamPart => ({ type: 'reasoning-delta', id: 'r', delta })
  const start: LanguageModelV4StreamPart = { type: 'reasoning-start', id: 'r' }
  const end: LanguageModelV4StreamPart = { type: 'reasoning-end', id: 'r' }

  test('that its vendor does not end is ended with the response', () => {
    const names = encode(responses, [start, said('well'), finishPart(stop)]).map(({ name }) => name)
    expect(names.slice(-4)).toEqual([
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
      'response.output_item.done',
      'response.completed',
    ])
  })

  test('is another after its end, also where its vendor does not begin it', () => {
    const events = encode(responses, [start, said('one'), end, said('two'), end, finishPart(stop)])
    const { response } = JSON.parse(events.at(-1)!.data!)
    expect(response.output.map(({ summary }: { summary: object }) => summary)).toEqual([
      [{ type: 'summary_text', text: 'one' }],
      [{ type: 'summary_text', text: 'two' }],
    ])
  })
})

describe('tool calls', () => {
  const finish: LanguageModelV4FinishReason = { unified: 'tool-calls', raw: 'tool_calls' }

  test('that a vendor writes at the same time come one after the other', async () => {
    const inputs = fc.array(fc.json(), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(
        inputs,
        fc.integer({ min: 1, max: 9 }),
        fc.infiniteStream(fc.nat()),
        async (all, size, draws) => {
          const content = all.map((input, index) => call(`c${index}`, `{"a":${input}}`))
          const queues = partsOf(content, size)
          const parts: LanguageModelV4StreamPart[] = []
          while (queues.some(queue => queue.length > 0)) {
            const left = queues.filter(queue => queue.length > 0)
            // Calls begin in their order, as every vendor writes them.
            const begun = left.filter(([first]) => first!.type !== 'tool-input-start')
            const allowed = left.slice(0, begun.length + 1)
            parts.push(allowed[draws.next().value % allowed.length]!.shift()!)
          }
          parts.push(finishPart(finish))
          const result = resultOf(content, finish)
          expectInOrder(encode(messages, parts))
          expect(await asMessage(parts)).toMatchObject(written(messages.fromResult(result, facts)))
          expect(asChat(parts)).toEqual(written(chat.fromResult(result, facts)))
          expect(asResponse(parts)).toEqual(written(responses.fromResult(result, facts)))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('that come whole, without pieces', async () => {
    const parts = [call('c1') as LanguageModelV4StreamPart, finishPart(finish)]
    const result = resultOf([call('c1')], finish)
    expect(asChat(parts)).toEqual(written(chat.fromResult(result, facts)))
    expect(asResponse(parts)).toEqual(written(responses.fromResult(result, facts)))
    expect(await asMessage(parts)).toMatchObject(written(messages.fromResult(result, facts)))
  })

  test("have Gemini's signature where its own imitation of the format has it", () => {
    const providerMetadata = { google: { thoughtSignature: 'g1' } }
    const signedCall = { ...call('c1'), providerMetadata } as LanguageModelV4Content
    const result = written(chat.fromResult(resultOf([signedCall], finish), facts))
    const response = written(responses.fromResult(resultOf([signedCall], finish), facts))
    const [start, ...rest] = partsOf([signedCall], 3).flat() as [LanguageModelV4StreamPart]
    for (const first of [start, { ...start, providerMetadata }]) {
      expect(asChat([first, ...rest, finishPart(finish)])).toEqual(result)
      expect(asResponse([first, ...rest, finishPart(finish)])).toEqual(response)
    }
  })

  test('whose input is no JSON are malformed as a message, unless the limit cut it off', async () => {
    const parts = partsOf([call('c1', '{"q":"x')], 4).flat()
    expect(() => encode(messages, [...parts, finishPart(finish)])).toThrow(MalformedAnswerError)
    const cut: LanguageModelV4FinishReason = { unified: 'length', raw: 'length' }
    expect(await asMessage([...parts, finishPart(cut)])).toMatchObject({ stop_reason: 'max_tokens' })
  })
})

test.each([chat, messages, responses])('a file that was made has no place in the events (%#)', adapter => {
  const file: LanguageModelV4StreamPart = {
    type: 'file',
    mediaType: 'image/png',
    data: { type: 'data', data: 'aGk=' },
  }
  expect(() => encode(adapter, [file])).toThrow('no place for a file')
})
