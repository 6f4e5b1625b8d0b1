import type { Fault, Latency } from './behaviour.ts'

/** Answers a number from 0 to below 1, as `Math.random` does. */
export type Random = () => number

/** A standard normal number (Box-Muller). `1 - random()` keeps the logarithm away from zero. */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

export function drawLatencyMs(latency: Latency | undefined, random: Random): number {
  switch (latency?.kind) {
    case undefined:
      return 0
    case 'fixed':
      return latency.ms
    case 'uniform':
      return latency.minMs + random() * (latency.maxMs - latency.minMs)
    case 'lognormal':
      return latency.medianMs * Math.exp(latency.sigma * normal(random))
  }
}

/** One draw decides among all faults: each owns a stretch of 0..1 as long as its rate. */
export function drawFault(faults: readonly Fault[], random: Random): Fault | null {
  if (faults.length === 0) return null
  let point = random()
  for (const fault of faults) {
    if (point < fault.rate) return fault
    point -= fault.rate
  }
  return null
}
