const shownFaults = 20

/** What the reader is about to see, and what of it is not real. */
export const introduction = (
  jobs: number,
  logFile: string,
): string => `Baton demo: ${jobs} jobs, two providers.

  Simulated   two LLM providers and the receiver of the webhooks: real HTTP servers here on loopback, made-up answers.
              primary  speaks OpenAI's format; limits its rate, breaks down mid-run (503, resets, hangs), comes back
              backup   speaks Anthropic's format; healthy, with a rate limit of its own
  Real        everything else: Redis, the API, the queues, the workers, the webhooks, as in production.
  Log         ${logFile}
`

export const verdictOf = (faults: readonly string[], jobs: number, logFile: string): string =>
  faults.length === 0
    ? `PASSED: all ${jobs} jobs have exactly one result, and a verified webhook that tells it.`
    : `FAILED: ${faults.length} faults (more in ${logFile}):\n${faults
        .slice(0, shownFaults)
        .map(fault => `  - ${fault}`)
        .join('\n')}`
