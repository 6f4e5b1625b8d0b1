import type { AnswerContext } from './answer.ts'
import { response } from './openai-answers.ts'
import {
  argumentPieces,
  named,
  type Stage,
  type StreamOf,
  type StreamPart,
  tokensOf,
} from './stream-parts.ts'

type Event = readonly [stage: Stage, type: string, fields: object]

function textEvents(text: string, item: { id: string }): readonly Event[] {
  const at = { item_id: item.id, output_index: 0, content_index: 0 }
  const part = { type: 'output_text', text, annotations: [] }
  return [
    [
      'opening',
      'response.output_item.added',
      { output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
    ],
    ['opening', 'response.content_part.added', { ...at, part: { ...part, text: '' } }],
    ...tokensOf(text).map(
      (delta): Event => ['content', 'response.output_text.delta', { ...at, delta, logprobs: [] }],
    ),
    ['closing', 'response.output_text.done', { ...at, text, logprobs: [] }],
    ['closing', 'response.content_part.done', { ...at, part }],
    ['closing', 'response.output_item.done', { output_index: 0, item }],
  ]
}

function callEvents(item: { id: string; name: string }): readonly Event[] {
  const at = { item_id: item.id, output_index: 0 }
  return [
    [
      'content',
      'response.output_item.added',
      { output_index: 0, item: { ...item, arguments: '', status: 'in_progress' } },
    ],
    ...argumentPieces.map(
      (delta): Event => ['content', 'response.function_call_arguments.delta', { ...at, delta }],
    ),
    [
      'closing',
      'response.function_call_arguments.done',
      { ...at, name: item.name, arguments: argumentPieces.join('') },
    ],
    ['closing', 'response.output_item.done', { output_index: 0, item }],
  ]
}

function outputEvents({ answer }: AnswerContext, output: readonly unknown[]): readonly Event[] {
  if (answer.kind === 'text') return textEvents(answer.text, output[0] as { id: string })
  return answer.kind === 'tool' ? callEvents(output[0] as { id: string; name: string }) : []
}

/** https://platform.openai.com/docs/api-reference/responses-streaming: numbered from 0, and no `[DONE]` at the end. */
export const responseStream: StreamOf = context => {
  const whole = response(context)
  const begun = { ...whole, status: 'in_progress', incomplete_details: null, output: [], usage: null }
  const events: Event[] = [
    ['opening', 'response.created', { response: begun }],
    ['opening', 'response.in_progress', { response: begun }],
    ...outputEvents(context, whole.output),
    ['closing', `response.${whole.status}`, { response: whole }],
  ]
  return events.map(
    ([stage, type, fields], number): StreamPart => named(stage, type, { sequence_number: number, ...fields }),
  )
}
