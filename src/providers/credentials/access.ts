import type { CallSignal } from '../../domain/interrupt.ts'
import { createRedact } from '../../domain/redact.ts'
import type { UpstreamAnswer, UpstreamOutcome } from '../../domain/upstream.ts'
import { readAnswerText } from '../answer-text.ts'
import type { Transport } from '../transport.ts'
import { type CredentialSource, type Credentials, isOutcome } from './renewed.ts'

/** As much of a request as a signature covers. */
export interface Signable {
  readonly method: 'GET' | 'POST'
  /** The scheme and host. */
  readonly origin: string
  /** From the root of the host. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/** How a provider is shown who calls, where that is no key of a header. */
export interface Access<Value = unknown> {
  readonly source: CredentialSource<Value>
  /** The path and headers of a request that shows the credentials. What the config sets among the headers stays. */
  signed(request: Signable, value: Value): Promise<Pick<Signable, 'path' | 'headers'>>
  /** What of the credentials nobody else may see. */
  secretsIn(value: Value): readonly string[]
  /** Whether the provider says that the credentials have ended, or are not known any more. */
  isRefusal(answer: UpstreamAnswer): boolean
}

/** A `send` that shows who calls, and a question whether it could. */
export interface Authorized {
  readonly send: Transport['send']
  /** Gets credentials as a call would. Never throws. */
  prove(signal: CallSignal): Promise<UpstreamOutcome | { readonly source: string }>
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** What comes and goes is none of the config's secrets: it is cut here out of errors that repeat the request. */
const withoutSecrets = (outcome: UpstreamOutcome, secrets: readonly string[]): UpstreamOutcome => {
  if (outcome.kind === 'break' || outcome.status < 400) return outcome
  const text = createRedact(secrets)(outcome.text)
  if (text === outcome.text) return outcome
  return { ...outcome, text, json: readAnswerText(Buffer.from(text)).json }
}

/**
 * Credentials that a provider calls ended are asked for anew and the request is sent once more, in the same call: nothing was
 * answered, so nothing was paid for, and the job has no part in it.
 */
export const authorized = (
  transport: Pick<Transport, 'send'>,
  { source, signed, secretsIn, isRefusal }: Access,
  { origin, timeoutMs }: { readonly origin: string; readonly timeoutMs: number },
): Authorized => ({
  prove: signal => source.get(signal, timeoutMs),
  send: async (method, path, headers, body, signal, stream) => {
    const sendWith = async ({ value }: Credentials<unknown>): Promise<UpstreamOutcome> => {
      const request = await signed({ method, origin, path, headers, body }, value)
      const outcome = await transport.send(method, request.path, request.headers, body, signal, stream)
      return withoutSecrets(outcome, secretsIn(value))
    }
    const first = await source.get(signal, timeoutMs)
    if (isOutcome(first)) return first
    const outcome = await sendWith(first)
    if (outcome.kind === 'break' || outcome.status < 400 || !isRefusal(outcome)) return outcome
    const second = await source.get(signal, timeoutMs, first)
    if (isOutcome(second)) return second
    return isSame(first.value, second.value) ? outcome : sendWith(second)
  },
})
