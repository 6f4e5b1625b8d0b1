import type { Endpoint } from '../domain/endpoint.ts'
import { type BatchRequest, type LineFault, quoted, SeenIds } from './line-fault.ts'
import { parseOpenAiLine } from './openai-line.ts'
import type { InputLine } from './read-lines.ts'

export interface ValidatorOptions {
  readonly endpoint: Endpoint
  readonly maxLines: number
  /** Whether a request for this model, at the batch's endpoint, can be served. */
  readonly isKnownModel: (model: string) => boolean
  /** What keeps a request for this model from being counted against the batch's limit; null where nothing does. */
  readonly uncountable?: (model: string) => string | null
  /** After this many faults the rest of the file is not looked at. */
  readonly maxFaults: number
}

export interface Validation {
  /** Requests seen, good or bad: all of the file unless the validator was full. */
  readonly total: number
  /** Empty exactly when the file is a good one. At most one for each line, in order. */
  readonly faults: readonly LineFault[]
  /** The model, when all lines name the same one. */
  readonly model: string | null
}

export interface Validator {
  add(line: InputLine): void
  /** Nothing more is looked at: reading on is of no use. */
  readonly full: boolean
  finish(): Validation
}

/** The providers' limit on the inputs of one batch of embeddings, in all its lines. */
export const embeddingInputs = 50_000

/**
 * Judges an OpenAI batch file as a whole, one line after the other; `maxLines` is also how many inputs may be
 * embedded, where that is more.
 */
export const createValidator = (options: ValidatorOptions): Validator => {
  const { endpoint, maxLines, maxFaults, isKnownModel } = options
  const maxInputs = Math.max(maxLines, embeddingInputs)
  const seen = new SeenIds()
  const models = new Set<string>()
  const faults: LineFault[] = []
  let total = 0
  let inputs = 0
  let isOver = false

  const over = (line: number, param: string | null, message: string): LineFault => {
    isOver = true
    return { code: 'too_many_tasks', message, param, line }
  }

  const faultOfRequest = ({ customId, model, parsedBody }: BatchRequest, line: number): LineFault | null => {
    const earlier = seen.earlier(customId, line)
    if (earlier !== null) {
      const message = `The custom_id ${quoted(customId)} is that of line ${earlier} already; each must be unique in its file.`
      return { code: 'duplicate_custom_id', message, param: 'custom_id', line }
    }
    // Two are enough to know that they are not one.
    if (models.size < 2) models.add(model)
    if (!isKnownModel(model)) {
      const message = `The model ${quoted(model)} does not exist here, or not at ${endpoint}; GET /v1/models lists those that do.`
      return { code: 'model_not_found', message, param: 'body.model', line }
    }
    const gap = options.uncountable?.(model) ?? null
    if (gap !== null) return { code: 'price_unknown', message: gap, param: 'body.model', line }
    if (endpoint === '/v1/embeddings') inputs += inputsOf(parsedBody.input)
    return inputs > maxInputs
      ? over(line, 'body.input', `The file has more than ${maxInputs} inputs to embed.`)
      : null
  }

  const faultOfLine = (line: InputLine): LineFault | null => {
    if (total > maxLines) return over(line.number, null, `The file has more than ${maxLines} requests.`)
    const request = parseOpenAiLine(line, endpoint)
    return 'code' in request ? request : faultOfRequest(request, line.number)
  }

  return {
    add: line => {
      if (isOver || faults.length >= maxFaults) return
      total += 1
      const fault = faultOfLine(line)
      if (fault !== null) faults.push(fault)
    },
    get full() {
      return isOver || faults.length >= maxFaults
    },
    finish: () => {
      const [model = null] = models
      return {
        total,
        faults: total === 0 ? [emptyFile] : faults,
        model: models.size === 1 ? model : null,
      }
    },
  }
}

const emptyFile: LineFault = {
  code: 'empty_file',
  message: 'The file has no requests: each line is to be one.',
  param: null,
  line: null,
}

/** A text, or a list of token numbers, is one input; a list of either has as many as it is long. */
export const inputsOf = (input: unknown): number =>
  Array.isArray(input) && typeof input[0] !== 'number' ? input.length : 1
