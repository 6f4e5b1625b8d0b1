import type { Config } from '../../config/schema.ts'
import { BatonError } from '../../domain/errors.ts'
import {
  type BytesInFlight,
  createBytesInFlight,
  type RefusedBytes,
} from '../../rate-limits/bytes-in-flight.ts'
import { createSums, type Sums } from '../../telemetry/sums.ts'

/**
 * Why a connection is held open. `answer`: it is the only way to the answer; `poll`: the client can ask
 * again.
 */
export const waitingKinds = ['answer', 'poll', 'stream'] as const
export type WaitingKind = (typeof waitingKinds)[number]

export const refusalReasons = ['bytes', 'tenant_bytes', ...waitingKinds, 'connections'] as const
export type RefusalReason = (typeof refusalReasons)[number]

/** What this process can hold at a time, for all and for each tenant. */
export interface Capacity {
  readonly bytes: BytesInFlight
  /** A place for a connection that is held open; the function gives it back. Throws `too_many_waiting`. */
  enter(kind: WaitingKind, tenant: string): () => void
  /** Counts bytes for which there was no capacity, and returns their error. */
  refusedBytes(why: RefusedBytes): BatonError
  /** Counts a connection that is one too many, and returns its error. */
  refusedConnection(): BatonError
  readonly held: Readonly<Record<WaitingKind, number>>
  /** By reason, of the whole process. */
  refusals(): Readonly<Record<RefusalReason, number>>
}

/** A body of some MB is read, parsed and handed on in about this time. */
const retryAfterMs = 2_000

/** `refusals`: where they are counted, which goes on over configs. */
export const createCapacity = (
  { server, api_keys }: Config,
  refusals: Sums = createSums('reason'),
): Capacity => {
  // A share is there to leave something for others.
  const share = new Set(api_keys.map(({ tenant }) => tenant)).size > 1 ? server.tenant_share : 1
  const most: Record<WaitingKind, number> = {
    answer: server.max_waiting,
    poll: server.max_polls,
    stream: server.max_streams,
  }
  const held = Object.fromEntries(waitingKinds.map(kind => [kind, 0])) as Record<WaitingKind, number>
  const refused = (reason: RefusalReason): void => refusals.add(1, reason)
  const byTenant = new Map<string, number>()

  return {
    bytes: createBytesInFlight({
      maxBytes: server.max_bytes_in_flight,
      maxTenantBytes: server.max_bytes_in_flight * share,
    }),
    enter: (kind, tenant) => {
      const name = `${kind} ${tenant}`
      const own = byTenant.get(name) ?? 0
      if (held[kind] >= most[kind] || own >= Math.ceil(most[kind] * share)) {
        refused(kind)
        throw new BatonError('too_many_waiting', 'Too many connections wait.', { retryAfterMs })
      }
      held[kind] += 1
      byTenant.set(name, own + 1)
      let isLeft = false
      return () => {
        if (isLeft) return
        isLeft = true
        held[kind] -= 1
        const left = byTenant.get(name)! - 1
        if (left === 0) byTenant.delete(name)
        else byTenant.set(name, left)
      }
    },
    refusedBytes: why => {
      refused(why === 'all' ? 'bytes' : 'tenant_bytes')
      return new BatonError('too_many_bytes', 'Too many bytes in flight.', { retryAfterMs })
    },
    refusedConnection: () => {
      refused('connections')
      return new BatonError('too_many_connections', 'Too many connections.', { retryAfterMs })
    },
    held,
    refusals: () => {
      const counts = new Map(refusals.read().map(({ labels, value }) => [labels.reason, value]))
      return Object.fromEntries(refusalReasons.map(reason => [reason, counts.get(reason) ?? 0])) as Record<
        RefusalReason,
        number
      >
    },
  }
}
