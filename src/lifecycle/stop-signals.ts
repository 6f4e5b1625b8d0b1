/** A second signal within this is the first once more: a terminal sends it to the whole group, and npm passes it on. */
export const sameSignalMs = 1_000

/** Calls `first` at the first signal that asks for an end, and `again` at those that are meant as another. */
export const onStopSignals = (first: (signal: NodeJS.Signals) => void, again: () => void): void => {
  let askedAtMs: number | null = null
  const ask = (signal: NodeJS.Signals): void => {
    if (askedAtMs === null) {
      askedAtMs = performance.now()
      first(signal)
    } else if (performance.now() - askedAtMs >= sameSignalMs) again()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, ask)
}
