import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventsOfAnswer } from '../../../src/domain/streaming/events-of-answer.ts'
import { foldText } from './streams.ts'

const names = {
  '/v1/chat/completions':
    'choices index delta message content role refusal reasoning reasoning_details tool_calls function name arguments function_call audio data id type custom logprobs finish_reason usage x_groq text thinking',
  '/v1/completions': 'choices index text logprobs finish_reason usage tokens id object',
  '/v1/messages':
    'message content content_block delta index text thinking signature partial_json citation usage stop_reason input',
  '/v1/responses':
    'response output item part item_id output_index content_index summary_index delta text refusal arguments input annotation content summary id status',
} as const
const types = {
  '/v1/chat/completions': ['function', 'custom', 'text', 'thinking', 'reasoning.text'],
  '/v1/completions': ['text'],
  '/v1/messages':
    'message_start content_block_start content_block_delta content_block_stop message_delta ping text_delta thinking_delta input_json_delta citations_delta text tool_use'.split(
      ' ',
    ),
  '/v1/responses':
    'response.created response.output_item.added response.content_part.added response.output_text.delta response.refusal.done response.function_call_arguments.delta response.reasoning_summary_text.delta response.reasoning_summary_part.added response.output_text.annotation.added response.completed message reasoning function_call output_text'.split(
      ' ',
    ),
} as const

/** JSON that has the members of a format in places and with values that they should not have. */
const anyEvent = (endpoint: keyof typeof names) => {
  const name = fc.constantFrom(...names[endpoint].split(' '), '__proto__')
  const type = fc.constantFrom(...types[endpoint])
  const { object } = fc.letrec<{ object: object; value: unknown }>(tie => ({
    object: fc
      .tuple(fc.option(type), fc.dictionary(name, tie('value'), { maxKeys: 4 }))
      .map(([of, more]) => (of === null ? more : { ...more, type: of })),
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, -1, 0, 1, 2, 300_001, 0.5, '', 'a', 'stop', '{"x":', '[]'),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('object'),
    ),
  }))
  return fc
    .tuple(
      type,
      fc.array(fc.tuple(name, fc.oneof(object, fc.constantFrom(0, 1, 300_001, 'a'))), { maxLength: 6 }),
    )
    .map(([of, members]) => ({ ...Object.fromEntries(members), type: of }))
}

describe.each(Object.keys(names) as (keyof typeof names)[])('the fold of %s', endpoint => {
  it('takes whatever comes, and gives an answer that can be written and streamed', () => {
    fc.assert(
      fc.property(fc.array(anyEvent(endpoint), { maxLength: 6 }), events => {
        const text = events.map(event => `data: ${JSON.stringify(event)}\n\n`).join('')
        const { answer } = foldText(endpoint, text)
        expect(JSON.stringify(answer).length).toBeLessThan(100_000)
        expect(typeof eventsOfAnswer(endpoint, answer, { includeUsage: true })).toBe('string')
      }),
      { numRuns: 500 },
    )
  })
})
