import type { Endpoint } from '../domain/endpoint.ts'
import { describeMs } from '../jobs/explain.ts'
import { JsonText } from '../json/json-text.ts'
import { elementsOf, memberText } from '../json/members.ts'
import { contentOf } from '../mirror/answer-content.ts'
import { renderTime } from '../terminal/format.ts'

interface CallState {
  readonly provider: string
  readonly model: string
  readonly status_code: number
  readonly latency_ms: number
  readonly cost_usd: number | null
  /** The beginning of an answer that was cut. */
  readonly answer: JsonText | string
  readonly cut: boolean
}

/** As `GET /v1/mirrors/:route/pairs` shows it. */
export interface PairState {
  readonly at: number
  readonly job_id: string
  readonly endpoint: Endpoint
  readonly original: CallState
  readonly mirror: CallState
}

/**
 * Reads the API's answer, but for what the providers wrote: read and written again their large numbers would be others, and deep
 * nesting too much.
 */
export const readPairs = (text: string): PairState[] => {
  const pairs = (JSON.parse(text) as { readonly data: readonly PairState[] }).data
  const data = memberText(text, 'data')?.text ?? '[]'
  const written = [...elementsOf(data)].map(({ start, end }) => data.slice(start, end))
  return pairs.map((pair, i) => {
    const withText = (side: 'original' | 'mirror'): CallState => {
      const call = memberText(written[i]!, side)
      const answer = call && memberText(call.text, 'answer')
      return answer && !pair[side].cut ? { ...pair[side], answer: new JsonText(answer.text) } : pair[side]
    }
    return { ...pair, original: withText('original'), mirror: withText('mirror') }
  })
}

/** What was said on both sides, one pair after the other. */
export const describePairs = (pairs: readonly PairState[]): string => pairs.map(describePair).join('\n\n')

const describePair = ({ at, job_id, endpoint, original, mirror }: PairState): string =>
  [`${renderTime(at)}  ${job_id}`, describeCall(endpoint, original), describeCall(endpoint, mirror)].join(
    '\n',
  )

const describeCall = (endpoint: Endpoint, call: CallState): string => {
  const cost = call.cost_usd === null ? '' : `, $${call.cost_usd}`
  const about = `${call.provider}/${call.model}: ${call.status_code} after ${describeMs(call.latency_ms)}${cost}`
  const cut = call.cut ? ', cut' : ''
  const lines = harmless(wordsOf(endpoint, call)).split('\n')
  return [`  ${about}${cut}`, ...lines.map(line => `    ${line}`.trimEnd())].join('\n')
}

const wordsOf = (endpoint: Endpoint, { answer }: CallState): string => {
  if (typeof answer === 'string') return answer
  const whole = answer.text
  const { texts, calls } = contentOf(endpoint, whole)
  const called = calls.map(
    ({ name, input }) => `${name}(${typeof input === 'string' ? input : JSON.stringify(input)})`,
  )
  const words = [...texts.filter(text => text !== ''), ...called]
  return words.length === 0 ? whole : words.join('\n')
}

/** Without what a terminal would take for a command: a model may write anything. */
const harmless = (text: string): string =>
  text
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
