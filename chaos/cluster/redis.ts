import type { Redis } from 'ioredis'
import type { FaultKind } from '../plan/faults.ts'

/** The Redis of a run, and what can be done to it. Every method resolves when the harm is over. */
export interface ChaosRedis {
  /** Faults that this Redis can be made to suffer on this machine. */
  readonly possible: readonly FaultKind[]
  /** Section `redis` of the config, beside the prefix. */
  readonly config: object
  /** What each process gets in its environment. */
  envOf(member: string): Readonly<Record<string, string>>
  /** For checks from outside: not through anything that faults touch. */
  connect(): Redis
  /** Does one of `possible`. Returns a note for the report. */
  suffer(kind: FaultKind, target: string, forMs: number): Promise<string>
  close(): Promise<void>
}
