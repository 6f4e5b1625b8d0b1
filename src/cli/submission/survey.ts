import { createHash } from 'node:crypto'
import { type BatchRequest, type LineFault, quoted, SeenIds } from '../../batches/line-fault.ts'
import { parseOpenAiLine } from '../../batches/openai-line.ts'
import { type InputLine, readLines } from '../../batches/read-lines.ts'
import { embeddingInputs, inputsOf } from '../../batches/validator.ts'
import type { Endpoint } from '../../domain/endpoint.ts'

/** What the file of one batch may be, as `POST /v1/batches/check` tells it. */
export interface FileLimits {
  readonly max_lines: number
  readonly max_file_bytes: number
  readonly max_line_bytes: number
}

/** A stretch of the input that one batch takes. */
export interface Part {
  /** Bytes of the input: from, and to before. */
  readonly start: number
  readonly end: number
  readonly lines: number
}

/** All that is known of an input before any of it is sent. */
export interface Survey {
  readonly parts: readonly Part[]
  readonly lines: number
  /** The models that lines name, each with the first line and how many there are. */
  readonly models: ReadonlyMap<string, { readonly line: number; readonly count: number }>
  /** The first of them, in order. */
  readonly faults: readonly LineFault[]
  /** SHA-256 of the bytes, in hex. */
  readonly digest: string
}

/** As many as the API would list. */
const maxFaults = 100

/** Reads all of the input once, holding none of it, finds what is wrong with its lines, and cuts it for the limits. */
export const surveyInput = async (
  content: Blob,
  { endpoint, limits, signal, onRead }: SurveyOptions,
): Promise<Survey> => {
  const hash = createHash('sha256')
  const seen = new SeenIds()
  const models = new Map<string, { line: number; count: number }>()
  const faults: LineFault[] = []
  const cutter = createCutter(limits)
  async function* watched() {
    for await (const chunk of content.stream()) {
      signal.throwIfAborted()
      hash.update(chunk)
      onRead(chunk.length)
      yield chunk
    }
  }
  const faultOf = ({ customId }: BatchRequest, line: number): LineFault | null => {
    const earlier = seen.earlier(customId, line)
    if (earlier === null) return null
    const message = `The custom_id ${quoted(customId)} is that of line ${earlier} already; each must be unique in its file.`
    return { code: 'duplicate_custom_id', message, param: 'custom_id', line }
  }
  const note = (line: InputLine): void => {
    const request = parseOpenAiLine(line, endpoint)
    const fault = 'code' in request ? request : faultOf(request, line.number)
    if (fault !== null) faults.push(fault)
    if ('code' in request) return
    const known = models.get(request.model)
    if (known) known.count += 1
    else models.set(request.model, { line: line.number, count: 1 })
    cutter.add(line, endpoint === '/v1/embeddings' ? inputsOf(request.parsedBody.input) : 0)
  }
  const longest = Math.min(limits.max_line_bytes, limits.max_file_bytes)
  for await (const group of readLines(watched(), { offset: 0, line: 0 }, longest)) {
    for (const line of group) if (faults.length < maxFaults) note(line)
    if (faults.length >= maxFaults) break
  }
  const parts = cutter.finish(content.size)
  const lines = parts.reduce((sum, part) => sum + part.lines, 0)
  if (lines === 0 && faults.length === 0) faults.push(noRequests)
  return { parts, lines, models, faults, digest: hash.digest('hex') }
}

interface SurveyOptions {
  readonly endpoint: Endpoint
  readonly limits: FileLimits
  readonly signal: AbortSignal
  /** Gets the bytes of each piece. */
  readonly onRead: (bytes: number) => void
}

const noRequests: LineFault = {
  code: 'empty_file',
  message: 'The file has no requests: each line is to be one.',
  param: null,
  line: null,
}

/** A part ends where the next line would be too much for it. */
const createCutter = ({ max_lines, max_file_bytes }: FileLimits) => {
  const parts: Part[] = []
  const maxInputs = Math.max(max_lines, embeddingInputs)
  let [start, end, lines, inputs] = [0, 0, 0, 0]
  const cut = (to: number): void => {
    if (lines > 0) parts.push({ start, end: to, lines })
    start = to
    lines = 0
    inputs = 0
  }
  return {
    add: (line: InputLine, lineInputs: number): void => {
      const isFull =
        lines >= max_lines || line.end - start > max_file_bytes || inputs + lineInputs > maxInputs
      if (lines > 0 && isFull) cut(end)
      end = line.end
      lines += 1
      inputs += lineInputs
    },
    /** Blank lines at the end are of the last part, unless they are too many. */
    finish: (size: number): readonly Part[] => {
      cut(size - start > max_file_bytes ? end : size)
      return parts
    },
  }
}

/** Longer than any server takes by default. */
const longestLine = 64 * 1024 * 1024

/** The endpoint that the first line names; null where it names none. */
export const endpointOf = async (content: Blob): Promise<string | null> => {
  for await (const lines of readLines(content.stream(), { offset: 0, line: 0 }, longestLine)) {
    for (const { bytes } of lines) {
      try {
        const { url } = JSON.parse(String(bytes)) as { url?: unknown }
        if (typeof url === 'string') return url
      } catch {
        // The survey tells what is wrong with it.
      }
      return null
    }
  }
  return null
}
