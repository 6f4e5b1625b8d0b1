import { isJsonObject, type JsonObject } from '../json/json-object.ts'
import { memberText } from '../json/members.ts'
import { deepestBody, readJsonLine } from './json-line.ts'
import type { BatchRequest, LineFault } from './line-fault.ts'
import type { InputLine } from './read-lines.ts'

/** A request that is answered with an error of its own, while the batch goes on. */
export interface FaultyRequest {
  readonly customId: string
  readonly fault: LineFault
}

/** From this `anthropic-version` on, how tokens are sampled is no longer the client's to say. */
const versionWithoutSampling = '2026-10-21'

/**
 * Reads a line that `messageBatchLines` wrote, and judges its params: what Anthropic refuses in any batch, and
 * what it refuses from `apiVersion` (the `anthropic-version` the batch came with) on. All else is the provider's
 * to judge, as at the other doors.
 */
export const parseAnthropicLine = (
  line: InputLine,
  apiVersion: string | null,
): BatchRequest | FaultyRequest => {
  const read = readJsonLine(line)
  if ('code' in read) return { customId: '', fault: read }
  const customId = String(read.json.custom_id)
  const refuse = ({ param, why }: Refusal): FaultyRequest => ({
    customId,
    fault: { code: 'invalid_request', message: `${param}: ${why}`, param, line: line.number },
  })
  const { params } = read.json
  if (!isJsonObject(params)) return refuse({ param: 'params', why: 'Input should be an object' })
  const refusal = refusalOf(params, apiVersion)
  if (refusal !== null) return refuse(refusal)
  const body = memberText(read.text, 'params')!
  if (body.depth > deepestBody) {
    return refuse({ param: 'params', why: `Input nests deeper than ${deepestBody} levels` })
  }
  return { customId, model: params.model as string, body: body.text, parsedBody: params }
}

interface Refusal {
  readonly param: string
  readonly why: string
}

const refusalOf = (params: JsonObject, apiVersion: string | null): Refusal | null => {
  const { model, stream, speed, max_tokens: maxTokens } = params
  if (model === undefined) return { param: 'model', why: 'Field required' }
  if (typeof model !== 'string' || model === '') {
    return { param: 'model', why: 'Input should be the name of a model' }
  }
  if (stream === true) return { param: 'stream', why: 'Streaming is not supported in message batches' }
  if (speed !== undefined && speed !== null) {
    return { param: 'speed', why: 'Not supported in message batches' }
  }
  if (maxTokens === 0) return { param: 'max_tokens', why: 'Input should be greater than 0' }
  return isFrom(apiVersion, versionWithoutSampling) ? refusalSince20261021(params) : null
}

/** Versions are dates. A version that is no date, or absent, gets the older rules, which refuse less. */
const isFrom = (version: string | null, first: string): boolean =>
  version !== null && /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= first

const refusalSince20261021 = (params: JsonObject): Refusal | null => {
  const sampling = ['temperature', 'top_p', 'top_k'].find(name => params[name] !== undefined)
  if (sampling !== undefined) {
    return { param: sampling, why: `Not supported with anthropic-version ${versionWithoutSampling}` }
  }
  const { messages } = params
  if (!Array.isArray(messages)) return null
  for (const [index, message] of messages.entries()) {
    const block = refusedBlock(message)
    if (block !== null) return { ...block, param: `messages.${index}.content.${block.param}` }
  }
  return null
}

const refusedBlock = (message: unknown): Refusal | null => {
  if (!isJsonObject(message) || !Array.isArray(message.content)) return null
  const { role, content } = message
  for (const [index, block] of content.entries()) {
    if (!isJsonObject(block)) continue
    if (role === 'assistant' && block.type === 'document') {
      return { param: String(index), why: 'A document is not allowed in an assistant message' }
    }
    const { citations } = block
    if (role === 'user' && block.type === 'text' && Array.isArray(citations) && citations.length > 0) {
      return { param: `${index}.citations`, why: 'Citations are not allowed in text of the user' }
    }
  }
  return null
}
