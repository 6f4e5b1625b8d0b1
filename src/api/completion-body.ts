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
