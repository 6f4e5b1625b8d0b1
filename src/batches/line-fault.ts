/** What is wrong with a request of a batch, as `errors.data` of OpenAI's batch shows it. */
export interface LineFault {
  readonly code: LineFaultCode
  readonly message: string
  readonly param: string | null
  /** Physical line, counted from 1; null for a fault of the file as a whole. */
  readonly line: number | null
}

/** Of the open list that OpenAI and Azure use, and one of our own, `price_unknown`; `model_mismatch` is none of ours, for a file may mix models. */
export type LineFaultCode =
  | 'invalid_json_line'
  | 'invalid_request'
  | 'missing_required_parameter'
  | 'url_mismatch'
  | 'duplicate_custom_id'
  | 'model_not_found'
  | 'empty_file'
  | 'too_many_tasks'
  | 'price_unknown'

/** A request as a job is made of it. */
export interface BatchRequest {
  readonly customId: string
  readonly model: string
  /** The JSON text of the body, as the client wrote it: numbers and escapes are not touched. */
  readonly body: string
  readonly parsedBody: Readonly<Record<string, unknown>>
}

/** How a client's own text is shown in a message: enough to find it again. */
export const quoted = (text: string): string => `'${text.length > 64 ? `${text.slice(0, 64)}…` : text}'`
