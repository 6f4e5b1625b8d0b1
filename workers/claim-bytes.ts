import type { AppContext } from '../src/context/context.ts'
import { type BytesInFlight, createBytesInFlight } from '../src/rate-limits/bytes-in-flight.ts'

const known = new WeakMap<AppContext, BytesInFlight>()

/** Of all jobs that the workers of a process run, whatever their providers. No tenant has a share: who is called is the queue's choice. */
export const claimBytesOf = (context: AppContext): BytesInFlight => {
  const bytes = known.get(context) ?? createBytesInFlight(limitsOf(context))
  known.set(context, bytes)
  return bytes
}

const limitsOf = ({ config }: AppContext) => {
  const { max_bytes_in_flight: maxBytes } = config.jobs
  return { maxBytes, maxTenantBytes: maxBytes }
}
