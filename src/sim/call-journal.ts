import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Outcome } from './call-stats.ts'

/** One call, as it stands now. Times are Unix ms. */
export interface CallEntry {
  /** See `identityOf`; null for a caller that left no mark. */
  readonly identity: string | null
  /** What the header `x-sim-caller` says: which of several processes it was. */
  readonly caller: string | null
  /** Null until it was decided: the body is still coming, or never came. */
  readonly outcome: Outcome | null
  readonly startedAtMs: number
  /** Null while it runs. */
  readonly endedAtMs: number | null
  /** What was answered; null when the whole answer did not leave. */
  readonly status: number | null
}

/** Every call, in the order in which they came, for an audit afterwards. */
export interface CallJournal {
  readonly entries: readonly CallEntry[]
  /** Notes a call; `decided` adds what became of it. */
  began(req: IncomingMessage, res: ServerResponse): CallNote
}

export interface CallNote {
  decided(outcome: Outcome, identity: string | null): void
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** It grows with every call, so a provider keeps one only when it is asked to. */
export function createCallJournal(now: () => number): CallJournal {
  const entries: Writable<CallEntry>[] = []
  return {
    entries,
    began(req, res) {
      const caller = req.headers['x-sim-caller']
      const entry: Writable<CallEntry> = {
        identity: null,
        caller: typeof caller === 'string' ? caller : null,
        outcome: null,
        startedAtMs: now(),
        endedAtMs: null,
        status: null,
      }
      entries.push(entry)
      res.once('close', () => {
        entry.endedAtMs = now()
        if (res.writableFinished) entry.status = res.statusCode
      })
      return {
        decided(outcome, identity) {
          entry.outcome = outcome
          entry.identity = identity
        },
      }
    },
  }
}
