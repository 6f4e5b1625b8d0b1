import type { IncomingMessage, ServerResponse } from 'node:http'
import { dialectOf, type Endpoint } from '../domain/endpoint.ts'
import { type Answer, type AnswerContext, answerTo } from './answer.ts'
import { message } from './anthropic-answers.ts'
import { messageStream } from './anthropic-stream.ts'
import { isOfStreams, isToldAsError } from './behaviour.ts'
import type { CallJournal } from './call-journal.ts'
import type { CallStats, Outcome } from './call-stats.ts'
import type { Decider, OrdinaryDecision } from './decide.ts'
import { after, type Course, deliver, jsonReply, type Reply } from './deliver.ts'
import { deliverStream } from './deliver-stream.ts'
import {
  badRequestReply,
  type ErrorContext,
  errorReply,
  requestIdHeader,
  throttleReply,
} from './error-reply.ts'
import { readBody } from './http-listener.ts'
import { chatCompletion, response, textCompletion } from './openai-answers.ts'
import { embeddings } from './openai-embeddings.ts'
import { chatStream, completionStream } from './openai-streams.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'
import { identityOf, readRequest, type SimRequest, stringAt } from './read-request.ts'
import { responseStream } from './responses-stream.ts'
import { type StreamCourse, streamCourse } from './stream-course.ts'
import { errorPart } from './stream-errors.ts'
import type { StreamOf } from './stream-parts.ts'

export interface CallHandlerParts {
  readonly stats: CallStats
  /** Null where it will not be asked for. */
  readonly journal: CallJournal | null
  readonly decider: Decider
  readonly isKeyGood: (req: IncomingMessage) => boolean
  readonly answerBytes: number
  readonly now: () => number
}

const headerOf = (req: IncomingMessage, name: string): string | undefined => {
  const value = req.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** Undefined where the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `stream`: in the place of the reply, where the answer is streamed. */
type PlannedCourse = Course & Pick<OrdinaryDecision, 'leave'> & { readonly stream?: StreamCourse }

const atOnce = (outcome: Outcome, reply: Reply): PlannedCourse => ({
  outcome,
  reply,
  delayMs: 0,
  bodyDelayMs: 0,
})

/** Answers completion calls, each as it was decided. */
export function createCallHandler({
  stats,
  journal,
  decider,
  isKeyGood,
  answerBytes,
  now,
}: CallHandlerParts) {
  let served = 0

  function factsOf(outcome: Outcome, request: SimRequest): AnswerContext {
    const answer: Answer =
      outcome === 'refusal' || outcome === 'empty'
        ? { kind: outcome }
        : answerTo(request, answerBytes, decider.streaming.tokens)
    const createdS = Math.floor(now() / 1_000)
    return { request, answer, number: served, createdS, outputTokens: outputTokensOf(answer) }
  }

  function headersOf({ limits }: OrdinaryDecision, context: ErrorContext): Record<string, string> {
    const headers = limits === null ? {} : rateLimitHeaders(context.dialect, limits, now())
    return { ...headers, [requestIdHeader[context.dialect]]: context.requestId }
  }

  function streamTo(decision: OrdinaryDecision, request: SimRequest, context: ErrorContext): StreamCourse {
    const { outcome, bodyDelayMs: delayMs } = decision
    const { endpoint, model } = request
    const { streaming: pace } = decider
    return streamCourse({
      ...{ outcome, pace, delayMs, headers: headersOf(decision, context) },
      parts: streamAnswer[endpoint]?.(factsOf(outcome, request)) ?? [],
      failed: number => errorPart(endpoint, pace.error, model, number),
    })
  }

  /** How a call that the decision lets through is answered. */
  function serve(
    decision: OrdinaryDecision,
    request: SimRequest,
    context: ErrorContext,
  ): Pick<PlannedCourse, 'outcome' | 'reply' | 'stream'> {
    const { outcome } = decision
    if (outcome === 'hang' || outcome === 'reset') return { outcome, reply: null }
    if (isToldAsError(outcome)) return { outcome, reply: errorReply(context, outcome) }
    if (outcome === 'stream-json-error' && request.isStreamed)
      return { outcome, reply: { ...errorReply(context, decider.streaming.error), status: 200 } }
    if (request.isStreamed) return { outcome, reply: null, stream: streamTo(decision, request, context) }
    const answer = renderAnswer[request.endpoint](factsOf(outcome, request))
    // A fault of streams is none of a call that is not streamed.
    return {
      outcome: isOfStreams(outcome) ? 'ok' : outcome,
      reply: jsonReply(200, headersOf(decision, context), answer),
    }
  }

  function plan(
    req: IncomingMessage,
    endpoint: Endpoint,
    text: string,
    body: unknown,
    identity: string | null,
  ): PlannedCourse {
    const model = stringAt(body, 'model') ?? ''
    const context = { dialect: dialectOf(endpoint), requestId: `req_sim${served}`, model }
    if (!isKeyGood(req)) return atOnce('bad-key', errorReply(context, 'bad-key'))
    const blame = (message: string) => atOnce('bad-request', badRequestReply(context, message))
    if (body === undefined) return blame('We could not parse the JSON body of your request.')
    const request = readRequest(endpoint, text, body)
    if (request === null) return blame('you must provide a model parameter')
    const { inputTokens } = request
    const decision = decider.decide({ script: headerOf(req, 'x-sim-script'), model, identity, inputTokens })
    if (decision === null) return blame('the script cannot be read')
    if (decision.outcome === 'throttle')
      return { ...decision, ...atOnce('throttle', throttleReply(context, decision, now())) }
    return { ...decision, ...serve(decision, request, context) }
  }

  return (req: IncomingMessage, res: ServerResponse, endpoint: Endpoint): void => {
    stats.began()
    const note = journal?.began(req, res)
    res.once('close', stats.ended)
    readBody(req, text => {
      served++
      const body = parseJson(text)
      const identity = identityOf(headerOf(req, 'x-sim-id'), body)
      const course = plan(req, endpoint, text, body, identity)
      stats.decided(course.outcome, identity)
      note?.decided(course.outcome, identity)
      if (course.leave) res.once('close', course.leave)
      const { stream } = course
      if (stream) after(course.delayMs, res, () => deliverStream(res, stream))
      else deliver(res, course)
    })
  }
}

/** The events of a streamed answer; embeddings are not streamed. */
const streamAnswer: Partial<Record<Endpoint, StreamOf>> = {
  '/v1/chat/completions': chatStream,
  '/v1/messages': messageStream,
  '/v1/responses': responseStream,
  '/v1/completions': completionStream,
}

/** How an answer looks in the format of each endpoint. */
const renderAnswer: Record<Endpoint, (context: AnswerContext) => unknown> = {
  '/v1/chat/completions': chatCompletion,
  '/v1/messages': message,
  '/v1/embeddings': embeddings,
  '/v1/responses': response,
  '/v1/completions': textCompletion,
}

function outputTokensOf(answer: Answer): number {
  if (answer.kind === 'text') return Math.ceil(answer.text.length / 4)
  return answer.kind === 'tool' ? Math.ceil(answer.name.length / 4) : 0
}
