import { parseArgs } from 'node:util'
import { startVitest } from 'vitest/node'

// `npm run fuzz [-- --times 20 --seed 1 name …]`: the properties of this folder, many more runs of each than `npm test`
// makes. A failure prints its seed and the smallest case that was found.
const { values, positionals } = parseArgs({
  options: { times: { type: 'string', default: '20' }, seed: { type: 'string' } },
  allowPositionals: true,
})

const wholeNumber = (name: string, text: string): number => {
  const number = Number(text)
  if (Number.isInteger(number)) return number
  console.error(`--${name}: expected a whole number`)
  process.exit(2)
}

const fuzzTimes = Math.max(1, wholeNumber('times', values.times))
const fuzzSeed = values.seed === undefined ? undefined : wholeNumber('seed', values.seed)
const files = positionals.length === 0 ? ['test/fuzz/'] : positionals.map(name => `test/fuzz/${name}`)

await startVitest('test', files, {
  watch: false,
  provide: { fuzzTimes, ...(fuzzSeed !== undefined && { fuzzSeed }) },
})
