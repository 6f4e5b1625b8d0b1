import type { ProviderChange } from './logbook.ts'
import type { Phase } from './primary.ts'

const shownFaults = 20

/** How much is asked in one run. */
export interface Load {
  /** How many the batch has. */
  readonly lines: number
  /** Single jobs beside it. */
  readonly jobs: number
}

/** What the reader is about to see, and what of it is not real. */
export const introduction = (
  { lines, jobs }: Load,
  logFile: string,
): string => `Baton demo: a batch of ${lines} lines and ${jobs} single jobs, two providers.

  Simulated   two LLM providers and the receiver of the webhooks: real HTTP servers here on loopback, made-up answers.
              primary  speaks OpenAI's format; limits its rate, breaks down mid-run (503, resets, hangs), comes back
              backup   speaks Anthropic's format; healthy, with a rate limit of its own
  Real        everything else: Redis, the API, files, the batch, queues, workers and webhooks, as in production.
  Log         ${logFile}
`

/** What the primary does from now on, without Baton's knowledge. */
export const phaseText = (phase: Phase): string => {
  switch (phase) {
    case 'throttling':
      return '* primary limits its rate and says so in its headers: calls keep just below it, the rest waits or goes elsewhere.'
    case 'broken down':
      return '* primary breaks down: 503, connections reset, answers that never come.'
    case 'back':
      return '* primary works again.'
  }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`

/** A change of where a provider stands, as a sentence. */
export const changeText = ({ provider, state, share, reason }: ProviderChange): string => {
  switch (state) {
    case 'down':
      return `> ${provider} is left alone (${reason}): no process calls it, its jobs go elsewhere.`
    case 'probing':
      return `> ${provider} is probed by one single call.`
    case 'recovering':
      return `> ${provider} answers: it gets ${percent(share)} of its traffic back.`
    case 'healthy':
      return `> ${provider} has all of its traffic back.`
    default:
      return `> ${provider} is ${state}.`
  }
}

export const verdictOf = (faults: readonly string[], { lines, jobs }: Load, logFile: string): string =>
  faults.length === 0
    ? `PASSED: each of the ${lines} lines has exactly one output line, with the answer to its question, and each of the ${jobs} jobs its one result; a verified webhook told of the batch and of every job.`
    : `FAILED: ${faults.length} faults (more in ${logFile}):\n${faults
        .slice(0, shownFaults)
        .map(fault => `  - ${fault}`)
        .join('\n')}`
