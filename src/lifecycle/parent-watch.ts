const lookMs = 500

/**
 * Tells when the parent of this process is gone: npm, or the shell between them. npm passes SIGINT and SIGTERM on, but not what ends
 * it at once (SIGHUP, SIGKILL), and the shell of `npx` keeps them to itself: a server would go on, listening, and whoever started it
 * would think it stopped. Only for what npm runs: whatever else starts a process may well end before it.
 */
export const watchParent = (gone: () => void): void => {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    gone()
  }, lookMs)
  timer.unref()
}
