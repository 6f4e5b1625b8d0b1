import type { Core } from '../src/context.ts'
import { type BytesInFlight, createBytesInFlight } from '../src/rate-limits/bytes-in-flight.ts'

const known = new WeakMap<Core, BytesInFlight>()

/** Of all jobs that the workers of a process run, whatever their providers. No tenant has a share: who is called is the queue's choice. */
export const claimBytesOf = (core: Core): BytesInFlight => {
  const bytes = known.get(core) ?? createBytesInFlight(limitsOf(core))
  known.set(core, bytes)
  return bytes
}

const limitsOf = ({ config }: Core) => {
  const { max_bytes_in_flight: maxBytes } = config.jobs
  return { maxBytes, maxTenantBytes: maxBytes }
}
