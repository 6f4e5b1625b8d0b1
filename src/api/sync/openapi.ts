import { z } from 'zod'
import { endpoints } from '../../domain/endpoint.ts'
import { accepted } from '../jobs/openapi.ts'
import { completionErrors, jsonBodyErrors } from '../openapi/error-sets.ts'
import type { DescribedResponse, Operation, Operations } from '../openapi/operation.ts'
import { dialectHeaders, forwardedHeaders, syncHeaders } from '../openapi/request-headers.ts'

const syncNames: Readonly<Record<(typeof endpoints)[number], readonly [id: string, summary: string]>> = {
  '/v1/chat/completions': ['createChatCompletion', "OpenAI's chat completions"],
  '/v1/messages': ['createMessage', "Anthropic's messages"],
  '/v1/completions': ['createCompletion', "OpenAI's completions"],
  '/v1/embeddings': ['createEmbeddings', "OpenAI's embeddings"],
  '/v1/responses': ['createResponse', "OpenAI's responses"],
}

const upstreamAnswer: DescribedResponse = {
  description:
    "The provider's own answer, with `stream: true` as server-sent events; `x-baton-provider` names who gave it, `x-upstream-request-id` tells what that one calls the request, and `x-baton-adjusted` what it was asked without.",
  schema: z.record(z.string(), z.unknown()),
}

const syncOperation = ([id, summary]: readonly [string, string]): Operation => ({
  id,
  summary,
  tag: 'Completions',
  headers: syncHeaders.extend(forwardedHeaders.shape),
  responses: { 200: upstreamAnswer, ...accepted, default: upstreamAnswer },
  errors: [...jsonBodyErrors, ...completionErrors, 'too_many_waiting'],
  answersForJob: true,
})

export const syncOperations: Operations = {
  ...Object.fromEntries(endpoints.map(endpoint => [`POST ${endpoint}`, syncOperation(syncNames[endpoint])])),
  'POST /v1/messages/count_tokens': {
    id: 'countTokens',
    summary: "Count the tokens of Anthropic's messages, at the first target of the route",
    tag: 'Completions',
    headers: forwardedHeaders,
    responses: {
      200: { description: 'The count.', schema: z.object({ input_tokens: z.int() }) },
      default: upstreamAnswer,
    },
    errors: [
      ...jsonBodyErrors,
      'unknown_model',
      'count_tokens_unsupported',
      'streaming_unsupported',
      'too_many_waiting',
    ],
    answersForJob: true,
    isLocal: true,
  },
  'POST /v1/complete': {
    id: 'createTextCompletion',
    summary: "Anthropic's text completions, which are retired; see `POST /v1/messages`",
    tag: 'Completions',
    responses: {},
    errors: ['endpoint_retired'],
    isRetired: true,
  },
}

const openAiModel = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
})

const anthropicModel = z.object({
  type: z.literal('model'),
  id: z.string(),
  display_name: z.string(),
  created_at: z.iso.datetime(),
})

/** In the shape of the client's API: Anthropic's send `anthropic-version`. */
const model = z.union([openAiModel, anthropicModel])

const modelList = z.union([
  z.object({ object: z.literal('list'), data: z.array(openAiModel) }),
  z.object({
    data: z.array(anthropicModel),
    has_more: z.boolean(),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
  }),
])

export const modelOperations: Operations = {
  'GET /v1/models': {
    id: 'listModels',
    summary: 'List the routes',
    tag: 'Models',
    headers: dialectHeaders,
    responses: { 200: { description: "The routes, in OpenAI's shape or Anthropic's.", schema: modelList } },
    errors: [],
    isLocal: true,
  },
  'GET /v1/models/*': {
    id: 'readModel',
    summary: 'Read a route',
    tag: 'Models',
    url: '/v1/models/:id',
    params: z.object({ id: z.string().meta({ description: 'The name of a route; it may hold slashes.' }) }),
    headers: dialectHeaders,
    responses: { 200: { description: "The route, in OpenAI's shape or Anthropic's.", schema: model } },
    errors: ['unknown_model'],
    isLocal: true,
  },
}
