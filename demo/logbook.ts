import type { DestinationStream } from 'pino'

/**
 * What the workers wrote to their log, which an operator would read too: the only trace of lines of a batch.
 */
export interface Logbook {
  /** Ids of jobs, lines of a batch among them, that were parked at some time. */
  readonly parked: ReadonlySet<string>
  /** By the verdict of the last call before, or the knowledge that one would be in vain. */
  readonly handovers: ReadonlyMap<string, number>
  /** Upstream calls without a good answer, by verdict. */
  readonly failedCalls: ReadonlyMap<string, number>
  /** Each change of where a provider stands, oldest first. */
  readonly changes: readonly ProviderChange[]
}

export interface ProviderChange {
  readonly provider: string
  readonly state: string
  /** A share of the traffic, 0 to 1. */
  readonly share: number
  readonly reason: string
}

interface LogLine {
  readonly msg?: string
  readonly jobId?: string
  readonly hop?: number
  readonly verdict?: string
  readonly provider?: string
  readonly state?: string
  readonly share?: number
  readonly reason?: string
}

/** Passes every line on, and counts those about handovers, failed calls and parked jobs. */
export const createLogbook = (next: DestinationStream): Logbook & DestinationStream => {
  const parked = new Set<string>()
  const handovers = new Map<string, number>()
  const failedCalls = new Map<string, number>()
  const lastCall = new Map<string, { readonly hop: number; readonly verdict: string }>()
  const count = (counts: Map<string, number>, label: string): void => {
    counts.set(label, (counts.get(label) ?? 0) + 1)
  }

  const changes: ProviderChange[] = []

  const note = (line: LogLine): void => {
    const { msg, jobId = '', hop = 0, verdict = 'interrupted' } = line
    if (msg === 'provider changed state') {
      const { provider = '', state = '', share = 0, reason = '' } = line
      changes.push({ provider, state, share, reason })
    }
    if (msg === 'job parked') parked.add(jobId)
    if (msg === 'attempt failed' || msg === 'attempt interrupted') {
      count(failedCalls, verdict)
      lastCall.set(jobId, { hop, verdict })
    }
    if (msg === 'job handed over') {
      const last = lastCall.get(jobId)
      // The line names the hop it was handed to.
      count(handovers, last?.hop === hop - 1 ? last.verdict : 'no call (target known to be out)')
    }
  }
  return {
    parked,
    handovers,
    failedCalls,
    changes,
    write: line => {
      next.write(line)
      note(JSON.parse(line) as LogLine)
    },
  }
}
