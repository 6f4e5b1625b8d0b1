import { onStopSignals } from '../src/lifecycle/stop-process.ts'
import { readSoakOptions, type SoakOptions, usage } from './options.ts'
import { printCounts, printProcessorTime, printSamples, printSlopes } from './report.ts'
import { runSoak } from './run.ts'

// `npm run soak [-- --minutes 60 --rate 160]`: exits 1 when anything was lost or went wrong; figures are not judged.
const readOptions = (): SoakOptions => {
  try {
    const options = readSoakOptions(process.argv.slice(2))
    if (options !== 'help') return options
    console.log(usage)
    process.exit(0)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}

const options = readOptions()
const stopping = new AbortController()
// The second time at once: every child ends with this process.
onStopSignals(
  () => stopping.abort(),
  () => process.exit(130),
)

const startedAt = performance.now()
const { samples, ledger, faults, processorShares } = await runSoak(options, stopping.signal, ({ atMs }) => {
  if (process.stdout.isTTY) process.stdout.write(`\r  ${(atMs / 60_000).toFixed(1)} min`)
})
const seconds = Math.min((performance.now() - startedAt) / 1_000, options.durationMs / 1_000)
console.log(`soak: ${(seconds / 60).toFixed(1)} minutes at ${options.rate} requests a second`)
printSamples(samples)
console.log()
printSlopes(samples, seconds * 1_000)
console.log()
printCounts(ledger, seconds)
printProcessorTime(processorShares)
for (const [fault, times] of faults) console.log(`  FAULT, ${times} times: ${fault}`)
console.log(faults.size === 0 ? 'SOAK PASSED: nothing lost, no error' : 'SOAK FAILED')
process.exitCode = faults.size === 0 ? 0 : 1
