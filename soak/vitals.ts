import { renameSync, writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What only a process itself can report; since its last report. */
export interface Vitals {
  /** 99 of 100 turns of the event loop came at most this late, in ms. */
  readonly loopDelayMs: number
  readonly heapUsedBytes: number
}

// Imported into every watched process before anything else: writes its vitals into its own folder every second.
const everyMs = 1_000
const resolutionMs = 10
const file = `vitals-${process.pid}.json`
const delays = monitorEventLoopDelay({ resolution: resolutionMs })
delays.enable()

setInterval(() => {
  const vitals: Vitals = {
    // It measures the time between two of its ticks, which are that far apart by themselves.
    loopDelayMs: Math.max(0, delays.percentile(99) / 1e6 - resolutionMs),
    heapUsedBytes: process.memoryUsage().heapUsed,
  }
  delays.reset()
  writeFileSync(`${file}.new`, JSON.stringify(vitals))
  renameSync(`${file}.new`, file)
}, everyMs).unref()
