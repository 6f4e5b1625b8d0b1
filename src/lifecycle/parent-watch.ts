const lookMs = 500

/**
 * Calls `gone` when the parent of this process has ended: npm, or the shell between them. npm passes SIGINT
 * and SIGTERM on, but not what ends it at once (SIGHUP, SIGKILL), and the shell of `npx` passes none on: a
 * server would go on listening, although it seems stopped. Only for what npm runs: other parents may well end
 * before their processes.
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
