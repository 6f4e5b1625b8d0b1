import type { Endpoint } from '../../domain/endpoint.ts'
import { BatonError } from '../../domain/errors.ts'
import { faultOfStructure } from '../../domain/request-structure.ts'
import type { Completion } from '../jobs/request-schemas.ts'

const refuseStreaming = (body: Completion, param: string): void => {
  if (body.stream !== true) return
  throw new BatonError(
    'streaming_unsupported',
    'Streaming is not served here; leave `stream` out or set it to false.',
    { param },
  )
}

/** `within`: where the body stands in the request, with a dot behind it. */
export const refuseCompletionFaults = (endpoint: Endpoint, body: Completion, within = ''): void => {
  refuseStreaming(body, `${within}stream`)
  const fault = faultOfStructure(endpoint, body)
  if (fault !== null) throw new BatonError(fault.code, fault.message, { param: `${within}${fault.param}` })
}
