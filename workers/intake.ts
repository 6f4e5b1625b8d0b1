import type { AppContext } from '../src/context/context.ts'
import type { TargetGate } from '../src/health/target-gate.ts'
import type { ConsumerOptions } from '../src/queue/consumer.ts'
import type { Admission } from '../src/rate-limits/admission.ts'
import { type BytesInFlight, createBytesInFlight } from '../src/rate-limits/bytes-in-flight.ts'
import type { StepAside } from './step-aside.ts'

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

/**
 * How many jobs the worker takes from its queue: as many as the limits allow, and one more for each call that
 * hangs. None while it steps aside.
 */
export const intakeOf = (
  context: AppContext,
  {
    admission,
    gate,
    stepAside,
  }: { readonly admission: Admission; readonly gate: TargetGate; readonly stepAside: StepAside },
): ConsumerOptions['room'] => {
  const { circuits, isolation, config } = context
  const bytes = claimBytesOf(context)
  const hasBytes = (): boolean => bytes.held < config.jobs.max_bytes_in_flight
  return {
    left: () => (isolation.isOpen && hasBytes() && !stepAside.isOn ? admission.intake : 0),
    idle: () => gate.hanging,
    onChange: listener => {
      bytes.onRelease(listener)
      admission.onIntake(listener)
      circuits.onChange(listener)
      isolation.onChange(listener)
      stepAside.onEnd(listener)
    },
  }
}
