import type { Endpoint } from '../domain/endpoint.ts'
import { isJsonObject, type JsonObject } from '../json/json-object.ts'
import { memberText } from '../json/members.ts'
import { deepestBody, readJsonLine } from './json-line.ts'
import { type BatchRequest, type LineFault, type LineFaultCode, quoted } from './line-fault.ts'
import type { InputLine } from './read-lines.ts'

/**
 * Reads a line of an OpenAI batch file, `{"custom_id", "method", "url", "body"}`, or says the first thing that is
 * wrong with it. Other members are passed over. Whether the model is served, and the custom id is taken, is for
 * the validator to say.
 */
export const parseOpenAiLine = (line: InputLine, endpoint: Endpoint): BatchRequest | LineFault => {
  const read = readJsonLine(line)
  if ('code' in read) return read
  const { json } = read
  const fault = faultOfFields(json, endpoint) ?? faultOfBody(json.body)
  if (fault !== null) return { ...fault, line: line.number }
  const body = memberText(read.text, 'body')!
  if (body.depth > deepestBody) {
    return { ...wrong('body', `nests deeper than ${deepestBody} levels`), line: line.number }
  }
  const parsedBody = json.body as JsonObject
  return {
    customId: json.custom_id as string,
    model: parsedBody.model as string,
    body: body.text,
    parsedBody,
  }
}

type FieldFault = Omit<LineFault, 'line'>

const faultOf = (code: LineFaultCode, param: string, message: string): FieldFault => ({
  code,
  message,
  param,
})

const wrong = (param: string, is: string): FieldFault =>
  faultOf('invalid_request', param, `'${param}' ${is}.`)

const missing = (param: string): FieldFault =>
  faultOf('missing_required_parameter', param, `Missing required parameter: '${param}'.`)

const isAbsent = (value: unknown): boolean => value === undefined || value === null

const faultOfFields = (json: JsonObject, endpoint: Endpoint): FieldFault | null => {
  const absent = ['custom_id', 'method', 'url', 'body'].find(name => isAbsent(json[name]))
  if (absent !== undefined) return missing(absent)
  const { custom_id: customId, method, url } = json
  if (typeof customId !== 'string' || customId === '') return wrong('custom_id', 'must be a non-empty string')
  if (!customId.isWellFormed()) return wrong('custom_id', 'must be Unicode: it has half of a surrogate pair')
  if (method !== 'POST') return wrong('method', "must be 'POST'")
  if (typeof url !== 'string') return wrong('url', 'must be a string')
  return url === endpoint
    ? null
    : faultOf(
        'url_mismatch',
        'url',
        `The url ${quoted(url)} is not the endpoint of the batch, '${endpoint}'.`,
      )
}

const faultOfBody = (body: unknown): FieldFault | null => {
  if (!isJsonObject(body)) return wrong('body', 'must be a JSON object')
  const { model, stream } = body
  if (isAbsent(model)) return missing('body.model')
  if (typeof model !== 'string' || model === '') return wrong('body.model', 'must be the name of a model')
  return stream === true ? wrong('body.stream', 'must not be true: a batch has no streams') : null
}
