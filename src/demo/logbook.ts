import type { DestinationStream } from 'pino'

/** What the workers told in their log, which an operator would read too: of lines of a batch it is the only trace. */
export interface Logbook {
  /** Ids of jobs, lines of a batch among them, that were parked at some time. */
  readonly parked: ReadonlySet<string>
  /** By the verdict of the last call before, or the knowledge that one would be in vain. */
  readonly handovers: ReadonlyMap<string, number>
  /** Upstream calls without a good answer, by verdict. */
  readonly failedCalls: ReadonlyMap<string, number>
}

interface LogLine {
  readonly msg?: string
  readonly jobId?: string
  readonly hop?: number
  readonly verdict?: string
}

/** Passes every line on, and counts those that tell of handovers, failed calls and parked jobs. */
export const createLogbook = (next: DestinationStream): Logbook & DestinationStream => {
  const parked = new Set<string>()
  const handovers = new Map<string, number>()
  const failedCalls = new Map<string, number>()
  const lastCall = new Map<string, { readonly hop: number; readonly verdict: string }>()
  const count = (counts: Map<string, number>, label: string): void => {
    counts.set(label, (counts.get(label) ?? 0) + 1)
  }

  const note = ({ msg, jobId = '', hop = 0, verdict = 'interrupted' }: LogLine): void => {
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
    write: line => {
      next.write(line)
      note(JSON.parse(line) as LogLine)
    },
  }
}
