import { describe, expect, test } from 'vitest'
import type { UpstreamAnswer } from '../../../src/domain/upstream.ts'
import { anthropic, anthropicFails, json, openai, openaiFails, verdictOf } from './outcomes.ts'

type Row = [name: string, answer: UpstreamAnswer, verdict: string]

const worded = (status: number, message: string, code: unknown = null) =>
  openaiFails(status, code, 'invalid_request_error', message)
const claude = (message: string) => anthropicFails(400, 'invalid_request_error', message)

/** Words of real vendors, servers and routers, as they stand in public reports. */
describe('a fault of the target moves the job on', () => {
  const rows: Row[] = [
    [
      'OpenAI, max_tokens to a reasoning model',
      worded(
        400,
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        'unsupported_parameter',
      ),
      'unsupported/unsupported_parameter',
    ],
    [
      'OpenAI, temperature to a reasoning model',
      worded(
        400,
        "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
        'unsupported_value',
      ),
      'unsupported/unsupported_value',
    ],
    [
      'OpenAI, a long answer',
      worded(400, 'max_tokens is too large: 100000. This model supports at most 4096 completion tokens'),
      'unsupported/output_limit',
    ],
    [
      'Azure, an older version',
      worded(400, 'Unrecognized request argument supplied: max_completion_tokens'),
      'unsupported/unknown_parameter',
    ],
    [
      'DeepSeek, the developer role',
      worded(
        422,
        'Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`',
      ),
      'unsupported/unsupported_role',
    ],
    [
      'an older server, the developer role',
      worded(
        400,
        "'developer' is not one of ['system', 'assistant', 'user', 'function'] - 'messages.0.role'",
      ),
      'unsupported/unsupported_role',
    ],
    [
      'vLLM, the developer role',
      worded(400, 'Unexpected message role: developer'),
      'unsupported/unsupported_role',
    ],
    [
      'vLLM, tools',
      worded(400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
      'unsupported/unsupported_parameter',
    ],
    [
      'FastAPI, an extra field',
      json(422, {
        detail: [{ type: 'extra_forbidden', loc: ['body', 'store'], msg: 'Extra inputs are not permitted' }],
      }),
      'unsupported/unknown_parameter',
    ],
    [
      'Groq, a field of OpenAI',
      worded(
        400,
        "'messages.0' : for 'role:user' the following must be satisfied[('messages.0' : property 'name' is unsupported)]",
      ),
      'unsupported/unsupported_parameter',
    ],
    [
      'Ollama, tools',
      worded(400, 'registry.ollama.ai/library/phi:latest does not support tools'),
      'unsupported/unsupported_parameter',
    ],
    [
      'LiteLLM',
      worded(400, "litellm.UnsupportedParamsError: groq does not support parameters: ['seed']"),
      'unsupported/unsupported_parameter',
    ],
    [
      'OpenRouter, tools',
      json(404, { error: { code: 404, message: 'No endpoints found that support tool use.' } }),
      'unsupported/no_endpoint',
    ],
    [
      'OpenRouter, a policy',
      json(404, { error: { code: 404, message: 'No endpoints found matching your data policy.' } }),
      'unsupported/no_endpoint',
    ],
    [
      'OpenRouter, no provider',
      json(404, {
        error: { code: 404, message: 'No allowed providers are available for the selected model.' },
      }),
      'unsupported/no_endpoint',
    ],
    [
      'OpenRouter, what the provider behind it said',
      json(400, {
        error: {
          code: 400,
          message: 'Provider returned error',
          metadata: {
            provider_name: 'OpenAI',
            raw: JSON.stringify({
              error: { message: "Unsupported parameter: 'logprobs'", code: 'unsupported_parameter' },
            }),
          },
        },
      }),
      'unsupported/unsupported_parameter',
    ],
    [
      'new-api, a channel',
      json(503, {
        error: {
          message: 'No available channel for model gpt-4 under group default (distributor)',
          type: 'new_api_error',
        },
      }),
      'unknown_model/no_channel',
    ],
    [
      'one-api, a channel',
      json(503, {
        error: { message: '当前分组 default 下对于模型 gpt-4 无可用渠道', type: 'one_api_error' },
      }),
      'unknown_model/no_channel',
    ],
    [
      'LiteLLM, a model',
      worded(400, 'Invalid model name passed in model=gpt-9. Call `/v1/models`'),
      'unknown_model/model_not_found',
    ],
    [
      'LiteLLM, a budget',
      json(400, { error: { message: 'Budget has been exceeded! Current cost: 1', type: 'budget_exceeded' } }),
      'out_of_quota/budget_exceeded',
    ],
    [
      'GitHub, a model',
      worded(400, 'The requested model is not supported.', 'model_not_supported'),
      'unknown_model/model_not_supported',
    ],
    ['LiteLLM, a window', worded(400, 'litellm.ContextWindowExceededError: No.'), 'too_long/prompt_too_long'],
  ]
  test.each(rows)('%s', (_name, answer, verdict) => expect(verdictOf(answer, openai)).toBe(verdict))

  const ofClaude: Row[] = [
    ['an extra field', claude('store: Extra inputs are not permitted'), 'unsupported/unknown_parameter'],
    [
      'a field that is gone',
      claude('`temperature` is deprecated for this model.'),
      'unsupported/unsupported_parameter',
    ],
    [
      'two fields at once',
      claude('`temperature` and `top_p` cannot both be specified for this model.'),
      'unsupported/unsupported_parameter',
    ],
    [
      'a long answer',
      claude(
        'max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-sonnet',
      ),
      'unsupported/output_limit',
    ],
    [
      'a prefill',
      claude('This model does not support assistant message prefill.'),
      'unsupported/unsupported_parameter',
    ],
    ['a filter', claude('Output blocked by content filtering policy'), 'refused/content_filter'],
  ]
  test.each(ofClaude)('Anthropic, %s', (_name, answer, verdict) =>
    expect(verdictOf(answer, anthropic)).toBe(verdict),
  )

  const gemini = (status: string, message: string) => json(400, { error: { code: 400, status, message } })
  const ofGemini: Row[] = [
    [
      'a field of another API',
      gemini('INVALID_ARGUMENT', 'Invalid JSON payload received. Unknown name "store": Cannot find field.'),
      'unsupported/unknown_parameter',
    ],
    [
      'tools of Gemma',
      gemini('INVALID_ARGUMENT', 'Function calling is not enabled for models/gemma-3'),
      'unsupported/unsupported_parameter',
    ],
  ]
  test.each(ofGemini)('Gemini, %s', (_name, answer, verdict) =>
    expect(verdictOf(answer, { ...openai, dialect: 'google' })).toBe(verdict),
  )
})

describe('a fault of the caller stays one', () => {
  const rows: Row[] = [
    [
      'an empty list',
      worded(400, "Invalid 'messages': empty array. Expected an array with minimum length 1."),
      'rejected/invalid_request_error',
    ],
    [
      'a range',
      worded(400, "Invalid 'temperature': decimal above maximum value. Expected a value <= 2."),
      'rejected/invalid_request_error',
    ],
    [
      'a missing part',
      worded(400, "Missing required parameter: 'messages[0].content'.", 'missing_required_parameter'),
      'rejected/missing_required_parameter',
    ],
    [
      'tool results',
      claude('messages.2: `tool_use` ids were found without `tool_result` blocks immediately after'),
      'rejected/invalid_request_error',
    ],
    ['an image', worded(400, 'Could not process image', 'invalid_image'), 'rejected/invalid_image'],
    [
      'a schema',
      worded(
        400,
        "Invalid schema for response_format 'x': schema must be a JSON object",
        'invalid_json_schema',
      ),
      'rejected/invalid_json_schema',
    ],
  ]
  test.each(rows)('%s', (_name, answer, verdict) => expect(verdictOf(answer, openai)).toBe(verdict))
})

describe('a refusal is one, also as an error', () => {
  const azure = {
    message:
      "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: { hate: { filtered: true } } },
  }
  const rows: Row[] = [
    [
      'Azure',
      json(400, { error: { ...azure, code: 'content_filter', status: 400 } }),
      'refused/content_filter',
    ],
    [
      'Azure, by the inner code alone',
      json(400, { error: { ...azure, code: 'BadRequest' } }),
      'refused/badrequest',
    ],
    [
      'Azure, in words',
      json(400, { error: { message: azure.message, code: null } }),
      'refused/content_filter',
    ],
    [
      'OpenAI, of a reasoning model',
      worded(
        400,
        'Invalid prompt: your prompt was flagged as potentially violating our usage policy.',
        'invalid_prompt',
      ),
      'refused/invalid_prompt',
    ],
    [
      'OpenAI, of an image',
      worded(400, 'Your request was rejected as a result of our safety system.', null),
      'refused/content_filter',
    ],
    [
      'DashScope',
      json(400, {
        error: { code: 'data_inspection_failed', message: 'Input data may contain inappropriate content.' },
      }),
      'refused/data_inspection_failed',
    ],
    [
      'DashScope, in its own shape',
      json(400, { code: 'DataInspectionFailed', message: 'Input data may contain inappropriate content.' }),
      'refused/datainspectionfailed',
    ],
    ['DeepSeek', worded(400, 'Content Exists Risk'), 'refused/content_filter'],
    [
      'Moonshot',
      json(400, {
        error: {
          type: 'content_filter',
          message: 'The request was rejected because it was considered high risk',
        },
      }),
      'refused/content_filter',
    ],
    [
      'xAI, a 403',
      json(403, {
        code: 'permission',
        error: 'Content violates usage guidelines. Failed check: SAFETY_CHECK',
      }),
      'refused/content_filter',
    ],
    [
      'OpenRouter, a 403',
      json(403, {
        error: {
          code: 403,
          message:
            'openai/gpt-4 requires moderation on OpenAI. Your input was flagged for "violence". No credits were charged.',
          metadata: { reasons: ['violence'], flagged_input: '…', provider_name: 'OpenAI' },
        },
      }),
      'refused/moderation',
    ],
    [
      'Portkey, a guardrail',
      json(446, {
        error: {
          message: 'The guardrail checks defined in the config failed.',
          type: 'hooks_failed',
          code: null,
        },
      }),
      'refused/hooks_failed',
    ],
    ['LiteLLM', worded(400, 'litellm.ContentPolicyViolationError: No.'), 'refused/content_filter'],
  ]
  test.each(rows)('%s', (_name, answer, verdict) => expect(verdictOf(answer, openai)).toBe(verdict))
})
