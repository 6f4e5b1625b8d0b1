import { BatonError } from '../domain/errors.ts'
import type { Completion } from './schemas.ts'

export const refuseStreaming = (body: Completion, param: string): void => {
  if (body.stream !== true) return
  throw new BatonError(
    'streaming_unsupported',
    'Streaming is not served here; leave `stream` out or set it to false.',
    { param },
  )
}

/** The request body as JSON text. JSON.parse takes any depth, JSON.stringify runs out of stack. */
export const bodyText = (body: Completion): string => {
  try {
    return JSON.stringify(body)
  } catch (error) {
    throw new BatonError('invalid_request', '`body` is nested too deeply.', { param: 'body', cause: error })
  }
}
