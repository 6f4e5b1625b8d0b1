import { dialectsOfPath } from '../../../src/api/http/error-answer.ts'
import { errorsBeforeRouting } from '../../../src/api/openapi/error-sets.ts'
import { type ErrorCode, errorCodes } from '../../../src/domain/errors.ts'
import { codesOf, type DescribedRoute, type Document, routesOf } from '../../api/openapi/document.ts'
import type { WireAnswer } from './answers-in.ts'
import type { Draft, Exchange } from './draft.ts'
import type { Outcome } from './send.ts'

/** What an outcome shows to be wrong, in words; empty where nothing is. */
export type Judge = (exchange: Exchange, outcome: Outcome) => string[]

interface ErrorBody {
  readonly type?: string
  readonly error?: {
    readonly code?: string
    readonly message?: string
    readonly details?: { readonly error_code?: string }
  }
}

export const createJudge = (document: Document): Judge => {
  const routes = routesOf(document).map(route => ({ ...route, pattern: patternOf(route) }))

  /** The route that the router leads to, names before parameters; undefined where there is none. */
  const routeOf = ({ method, target }: Draft): DescribedRoute | undefined => {
    const path = decoded(pathOf(target))
    const asked = method === 'HEAD' ? 'GET' : method
    const matching = routes.filter(route => route.method === asked && route.pattern.test(path))
    return matching.find(route => !route.path.includes('{')) ?? matching[0]
  }

  const judgeError = (answer: WireAnswer, draft: Draft | undefined): string[] => {
    const body = bodyOf(answer)
    if (body === null) return [`${answer.status} without a JSON body`]
    const dialect = body.type === 'error' ? 'anthropic' : 'openai'
    const code = (body.error?.code ?? body.error?.details?.error_code) as ErrorCode | undefined
    if (code === undefined || !body.error?.message)
      return [`${answer.status} in another shape: ${answer.text}`]
    if (errorCodes[code]?.status !== answer.status) return [`${code} under ${answer.status}`]
    const isEarly = (errorsBeforeRouting as readonly string[]).includes(code)
    if (draft === undefined || (isEarly && dialect === 'openai')) return []
    const path = pathOf(draft.target)
    if (!dialectsOfPath(path).includes(dialect)) return [`${path} answers in the shape of ${dialect}`]
    const route = routeOf(draft)
    if (isEarly || (code === 'invalid_api_key' && route === undefined)) return []
    if (route === undefined) return [`${code}, though there is no route`]
    const described = codesOf(document, route.operation).get(answer.status)
    return described?.has(code) ? [] : [`${route.method} ${route.path} is not described to answer ${code}`]
  }

  const judgeAnswer = (answer: WireAnswer, draft: Draft | undefined, isCertain: boolean): string[] => {
    const { status, headers } = answer
    if (!headers.has('x-request-id')) return [`${status} without x-request-id`]
    if (status < 300) return []
    // What became of a job: its provider's own answer, or 502 and 504 where there is none. No other 5xx is right.
    if (headers.has('x-baton-provider')) return []
    if (status < 400 || status >= 500) return [`${status}: ${answer.text}`]
    return draft?.method === 'HEAD' ? [] : judgeError(answer, isCertain ? draft : undefined)
  }

  return ({ ending, drafts, isCertain }, { answers, fault }) => {
    if (fault !== null) return [fault]
    if (ending === 'wait' && answers.length === 0) return ['no answer']
    return answers.flatMap((answer, i) => judgeAnswer(answer, drafts[i], isCertain))
  }
}

const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/]*/, '').split(/[?#]/, 1)[0]!

/** The router takes no text at all for an id as well. */
const patternOf = ({ path }: DescribedRoute): RegExp => {
  const id = path.startsWith('/v1/models') ? '.*' : '[^/]*'
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/, id)}$`, 's')
}

/** As the router does it, but for slashes. */
const decoded = (path: string): string => {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

const bodyOf = ({ text, headers }: WireAnswer): ErrorBody | null => {
  if (!headers.get('content-type')?.startsWith('application/json')) return null
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
