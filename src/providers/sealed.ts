import type { Endpoint, UpstreamDialect } from '../domain/endpoint.ts'
import type { JsonPath } from '../json/values-at.ts'
import type { Sealed } from './seals.ts'

const path = (text: string): JsonPath => text.split('.')

/** What a client's body holds that is not for us to read, in the formats that are translated. */
export const sealedOfRequests: Readonly<Partial<Record<Endpoint, Sealed>>> = {
  '/v1/chat/completions': {
    inputs: [path('messages.*.tool_calls.*.function.arguments')],
    numbers: ['tools.*.function.parameters', 'response_format.json_schema.schema'].map(path),
  },
  '/v1/messages': {
    inputs: [path('messages.*.content.*.input')],
    numbers: ['tools.*.input_schema', 'output_config.format.schema'].map(path),
  },
}

const answers = (inputs: string): Sealed => ({ inputs: [path(inputs)], numbers: [] })

/** The same of providers' answers, each in its own format. */
export const sealedOfAnswers: Readonly<Record<UpstreamDialect, Sealed>> = {
  openai: answers('choices.*.message.tool_calls.*.function.arguments'),
  mistral: answers('choices.*.message.tool_calls.*.function.arguments'),
  anthropic: answers('content.*.input'),
  cohere: answers('message.tool_calls.*.function.arguments'),
  google: answers('candidates.*.content.parts.*.functionCall.args'),
  bedrock: answers('output.message.content.*.toolUse.input'),
}
