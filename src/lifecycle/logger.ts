import { type DestinationStream, type Logger, pino } from 'pino'

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

/** The one logger of a process: JSON lines on stdout, or on `destination`. */
export const createLogger = (level: string, destination?: DestinationStream): Logger =>
  pino(
    { level, serializers: { err: error => describeError(error) }, base: { pid: process.pid } },
    destination ?? pino.destination({ fd: 1, sync: true }),
  )
