const connectionCodes: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** Replies of a Redis that cannot serve now. From within a script they stand behind a prefix. */
const refusals =
  /\b(OOM|READONLY|LOADING|MISCONF|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED \d+|ASK \d+|NOREPLICAS|BUSY)\b/

/** ioredis has no codes for these; its wording is held by the tests that take Redis away. */
const lostConnections =
  /^(Command timed out|Command aborted|Connection is closed|Stream isn't writeable|Reached the max retries|Socket timeout|Too many Cluster redirections|Cluster isn't ready|Cluster is |None of startup nodes|Failed to refresh slots cache|All sentinels are unreachable)/

/** Whether an error says that Redis is away, hangs, is full or does not take writes: trouble that passes. */
export const isRedisTrouble = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  if (error.name === 'ReplyError') return refusals.test(error.message)
  return connectionCodes.has((error as NodeJS.ErrnoException).code) || lostConnections.test(error.message)
}
