import { trace } from '@opentelemetry/api'
import { type Bindings, type ChildLoggerOptions, type DestinationStream, type Logger, pino } from 'pino'
import { turnOutput } from './turn-output.ts'

const maxMessageChars = 300
const maxCauses = 4

/**
 * Errors are logged by name, code, message and place alone. Libraries hang the whole failed request on theirs:
 * ioredis the command with its arguments, which hold prompts; the AI SDK the request's body and headers.
 */
const describeError = (error: unknown, causesLeft = maxCauses): Record<string, unknown> => {
  if (!(error instanceof Error)) return { message: 'not an error' }
  const { name, message, stack } = error
  const frames = stack
    ?.split('\n')
    .filter(line => line.startsWith('    at '))
    .slice(0, 8)
    .join('\n')
  const cause =
    error.cause instanceof Error && causesLeft > 0
      ? { cause: describeError(error.cause, causesLeft - 1) }
      : {}
  return {
    name,
    code: (error as { code?: unknown }).code,
    // V8 quotes the text that JSON.parse could not read.
    message: error instanceof SyntaxError ? 'malformed text' : message.slice(0, maxMessageChars),
    frames,
    ...cause,
  }
}

/** Of the active span, by the names that log tools look for; none where nobody traces. */
const traceIds = (): Readonly<Record<string, string>> | undefined => {
  const active = trace.getActiveSpan()?.spanContext()
  return active && { trace_id: active.traceId, span_id: active.spanId }
}

/** What every line of a logger says, beside its own. */
const bound: unique symbol = Symbol('bound')
type BoundLogger = Logger & { [bound]: Bindings }
/** Without what pino's own type says of custom levels. */
type Child = (this: BoundLogger, bindings: Bindings, options?: ChildLoggerOptions) => BoundLogger

/**
 * The one logger of a process: JSON lines on stdout, or on `destination`. What children are bound to is put together with the
 * line's own fields, which win: pino writes bindings as text before them, and a key of both would stand in the line twice.
 */
export const createLogger = (level: string, destination?: DestinationStream): Logger => {
  const log = pino(
    {
      level,
      serializers: { err: error => describeError(error) },
      base: null,
      mixin: (_fields, _level, logger) => ({ ...(logger as BoundLogger)[bound], ...traceIds() }),
    },
    destination ?? turnOutput(),
  ) as BoundLogger
  const child = log.child as unknown as Child
  const boundChild: Child = function (bindings, options) {
    const made = child.call(this, {}, options)
    made[bound] = { ...this[bound], ...bindings }
    return made
  }
  // Children inherit it.
  log.child = boundChild as unknown as Logger['child']
  log[bound] = { pid: process.pid }
  return log
}
