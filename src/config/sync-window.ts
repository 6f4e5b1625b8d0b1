/** The worker at the deadline of a job that a connection waits for, or a sweeper soon after it, ends the job: this outwaits both. */
export const syncGraceMs = 15_000

/** The timeout of the official clients of OpenAI and Anthropic, unless their users set another. */
export const clientTimeoutMs = 600_000
