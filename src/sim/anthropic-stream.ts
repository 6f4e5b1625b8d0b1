import { message } from './anthropic-answers.ts'
import { argumentPieces, named, type StreamOf, type StreamPart, tokensOf } from './stream-parts.ts'

interface Block {
  readonly type: string
  readonly text?: string
}

const ping = named('opening', 'ping')

function blockParts(block: Block): readonly StreamPart[] {
  const isText = block.type === 'text'
  const deltas = isText
    ? tokensOf(block.text!).map(text => ({ type: 'text_delta', text }))
    : ['', ...argumentPieces].map(piece => ({ type: 'input_json_delta', partial_json: piece }))
  const started = isText ? { ...block, text: '' } : { ...block, input: {} }
  const at = { index: 0 }
  // A call of a tool has begun with its name.
  const stage = isText ? 'opening' : 'content'
  return [
    ...(isText ? [] : [ping]),
    named(stage, 'content_block_start', { ...at, content_block: started }),
    ...(isText ? [ping] : []),
    ...deltas.map(delta => named('content', 'content_block_delta', { ...at, delta })),
    named('closing', 'content_block_stop', at),
  ]
}

/** https://docs.claude.com/en/docs/build-with-claude/streaming: the counts of `message_delta` are of all up to then. */
export const messageStream: StreamOf = context => {
  const whole = message(context)
  const { stop_reason, stop_sequence, stop_details, container, content, usage } = whole
  const begun = {
    ...{ ...whole, content: [], stop_reason: null, stop_details: null },
    usage: { ...usage, output_tokens: 1 },
  }
  const { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens } = usage
  const told = { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens }
  const delta = { stop_reason, stop_sequence, stop_details, container }
  return [
    named('opening', 'message_start', { message: begun }),
    ...(content as readonly Block[]).flatMap(blockParts),
    named('closing', 'message_delta', { delta, usage: told }),
    named('end', 'message_stop'),
  ]
}
