import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Dialect, dialectOf, isEndpoint } from '../domain/endpoint.ts'
import { modelPage } from './anthropic-answers.ts'
import type { BehaviourInput } from './behaviour.ts'
import { isToldAsError } from './behaviour.ts'
import { createCallHandler } from './call-handler.ts'
import { type CallEntry, createCallJournal } from './call-journal.ts'
import { createCallStats, type SimStats } from './call-stats.ts'
import { controlPrefix, createControlHandler } from './control.ts'
import { countPath, countReply } from './count-tokens.ts'
import { createDecider, type Random } from './decide.ts'
import { deliver, jsonReply, type Reply, send } from './deliver.ts'
import { errorReply, requestIdHeader, unknownPathReply } from './error-reply.ts'
import { createHttpListener, type ListenOptions, pathOf, readBody } from './http-listener.ts'
import { modelList } from './openai-answers.ts'

export interface SimProviderOptions {
  /** Serves only this format's paths; both when absent. */
  readonly format?: Dialect
  /** How it treats calls at first and after a reset. */
  readonly behaviour?: BehaviourInput
  /** The keys it accepts; any or none when absent. */
  readonly keys?: readonly string[]
  /** What `GET /v1/models` lists. Calls may name any model. */
  readonly models?: readonly string[]
  /** Text answers are padded to this many bytes. */
  readonly answerBytes?: number
  /** Keeps every call; without it only counts are kept. */
  readonly journal?: boolean
  readonly random?: Random
  /** Unix milliseconds. */
  readonly now?: () => number
}

export interface SimProvider {
  /** `http://host:port`, without `/v1`; throws before `start` has answered. */
  readonly url: string
  /** What was counted up to now. */
  readonly calls: SimStats
  /** Every call up to now, or null without `journal`. */
  readonly journal: readonly CallEntry[] | null
  start(options?: ListenOptions): Promise<{ readonly url: string }>
  /** Ends every connection at once, hanging ones included. */
  stop(): Promise<void>
  /** Replaces the behaviour, as `POST /__sim/behaviour` does. Throws a ZodError for one that is malformed. */
  script(behaviour: BehaviourInput): void
  /** Back to the first behaviour, with no calls counted and every script at its beginning. */
  reset(): void
}

/** OpenAI takes `Authorization: Bearer`; Anthropic takes that and `x-api-key`, and its clients send either. */
function keyOf({ headers }: IncomingMessage): string {
  const named = headers['x-api-key']
  if (typeof named === 'string') return named
  return headers.authorization?.replace(/^Bearer /i, '') ?? ''
}

/** A provider that is real in all but its answers: a HTTP server that speaks OpenAI's and Anthropic's formats. */
export function createSimProvider(options: SimProviderOptions = {}): SimProvider {
  const { format, behaviour = {}, keys, models = ['sim-small', 'sim-large'] } = options
  const { answerBytes = 0, random = Math.random, now = Date.now } = options
  const stats = createCallStats()
  const journal = options.journal ? createCallJournal(now) : null
  const decider = createDecider(behaviour, { random, now })
  const isKeyGood = (req: IncomingMessage) => keys === undefined || keys.includes(keyOf(req))
  const handleCall = createCallHandler({ stats, journal, decider, isKeyGood, answerBytes, now })

  function reset(): void {
    decider.behave(behaviour)
    decider.rewind()
    stats.reset()
  }

  const handleControl = createControlHandler({
    stats: stats.snapshot,
    journal: () => journal?.entries ?? null,
    script: decider.behave,
    reset,
  })

  /** What is no call is as much out of order as the rest of a provider. */
  function answerRest(req: IncomingMessage, res: ServerResponse, reply: Reply): void {
    const decision = reply.status === 200 ? decider.decideList() : null
    if (decision === null || decision.outcome === 'ok') {
      send(res, reply)
      return
    }
    const context = { dialect: dialectFor(req), requestId: 'req_sim0', model: '' }
    const told = isToldAsError(decision.outcome) ? errorReply(context, decision.outcome) : null
    deliver(res, { ...decision, reply: told })
  }

  const dialectFor = ({ headers }: IncomingMessage): Dialect =>
    format ?? (headers['anthropic-version'] === undefined ? 'openai' : 'anthropic')

  function restReply(req: IncomingMessage, path: string): Reply {
    const { method = '' } = req
    const dialect = dialectFor(req)
    const context = { dialect, requestId: 'req_sim0', model: '' }
    if (method !== 'GET' || path !== '/v1/models') return unknownPathReply(context, method, path)
    if (!isKeyGood(req)) return errorReply(context, 'bad-key')
    const list = dialect === 'openai' ? modelList : modelPage
    const idHeader = { [requestIdHeader[dialect]]: context.requestId }
    return jsonReply(200, idHeader, list(models, Math.floor(now() / 1_000)))
  }

  const isCount = ({ method }: IncomingMessage, path: string): boolean =>
    method === 'POST' && path === countPath && format !== 'openai'

  const countedFor = (req: IncomingMessage, text: string): Reply =>
    isKeyGood(req)
      ? countReply(text)
      : errorReply({ dialect: 'anthropic', requestId: 'req_sim0', model: '' }, 'bad-key')

  const listener = createHttpListener((req, res) => {
    const path = pathOf(req.url ?? '/')
    const isCall = req.method === 'POST' && isEndpoint(path)
    if (isCall && (format === undefined || format === dialectOf(path))) handleCall(req, res, path)
    else if (path.startsWith(controlPrefix)) handleControl(req, res, path)
    else if (isCount(req, path)) readBody(req, text => answerRest(req, res, countedFor(req, text)))
    else answerRest(req, res, restReply(req, path))
  })

  return {
    get url() {
      return listener.url
    },
    get calls() {
      return stats.snapshot()
    },
    get journal() {
      return journal?.entries ?? null
    },
    start: listener.start,
    stop: listener.stop,
    script: decider.behave,
    reset,
  }
}
