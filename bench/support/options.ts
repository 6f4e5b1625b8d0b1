import { parseArgs } from 'node:util'

const usage = 'node bench/main.ts [--rounds N] [--jobs N] [section …]'

const readArguments = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { rounds: { type: 'string' }, jobs: { type: 'string' } },
    })
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`)
    process.exit(2)
  }
}

const { values, positionals } = readArguments()

const countOf = (name: 'rounds' | 'jobs'): number | null => {
  const text = values[name]
  if (text === undefined) return null
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  console.error(`--${name} is a whole number from 1\n${usage}`)
  process.exit(2)
}

const asked = { rounds: countOf('rounds'), jobs: countOf('jobs') }

/** The sections named on the command line; empty for all. */
export const sectionsAsked: readonly string[] = positionals

/** How often each contender has its turn: as asked for, else what the section has. */
export const roundsOr = (usual: number): number => asked.rounds ?? usual

/** How many jobs, requests or deliveries each turn has: as asked for, else what the section has. */
export const jobsOr = (usual: number): number => asked.jobs ?? usual
