import { setTimeout as delay } from 'node:timers/promises'
import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, printTable, whole } from '../harness/figures.ts'
import type { CallEntry } from '../src/sim/call-journal.ts'
import { apiKey, type BatonInput, model, provider } from './support/deployment.ts'
import { loadQueue } from './support/load-queue.ts'
import { startBaton, startSim } from './support/processes.ts'

const rpm = 600
const processes = 8
/** Like a short answer of a fast model: a few calls are under way all the time. */
const latencyMs = 300
const minuteMs = 60_000
const firstMs = minuteMs
const afterMs = 45_000

interface Figures {
  /** Answered calls, of those that the limit allows. */
  readonly use: number
  /** How many of all calls were throttled. */
  readonly throttled: number
}

const inputFor = (redisUrl: string, simUrl: string, limits: object): BatonInput => ({
  redisUrl,
  config: {
    server: { port: 0 },
    providers: { [provider]: { type: 'openai', base_url: `${simUrl}/v1`, api_key: apiKey, limits } },
    models: { [model]: { provider } },
  },
})

const figuresOf = (calls: readonly CallEntry[], forMs: number): Figures => {
  const throttled = calls.filter(({ outcome }) => outcome === 'throttle').length
  const allowed = (rpm * forMs) / minuteMs
  return { use: (calls.length - throttled) / allowed, throttled: throttled / Math.max(1, calls.length) }
}

/** The most calls that began in any minute. */
const mostInAMinute = (startsMs: readonly number[]): number => {
  let first = 0
  return startsMs.reduce((most, startMs, last) => {
    while (startsMs[first]! <= startMs - minuteMs) first += 1
    return Math.max(most, last - first + 1)
  }, 0)
}

const run = async (limits: object): Promise<readonly string[]> => {
  let row: readonly string[] = []
  await withTestEnvironment(async environment => {
    const sim = await startSim(environment, '--journal')
    await sim.behave({ throttle: { rpm }, latency: { kind: 'fixed', ms: latencyMs } })
    const input = inputFor(environment.redisUrl, sim.url, limits)
    // More than can be answered, and than a storm at first sends away for later.
    await loadQueue(input, 3 * rpm)
    await Promise.all(Array.from({ length: processes }, () => startBaton(environment, 'worker', input)))
    await delay(firstMs + afterMs)

    const calls = await sim.journal()
    const startMs = calls[0]!.startedAtMs
    const between = (fromMs: number, toMs: number) =>
      calls.filter(call => call.startedAtMs - startMs >= fromMs && call.startedAtMs - startMs < toMs)
    const early = figuresOf(between(0, firstMs), firstMs)
    const late = figuresOf(between(firstMs, firstMs + afterMs), afterMs)
    const settled = between(5_000, firstMs + afterMs).map(call => call.startedAtMs)
    row = [
      percent(early.use),
      percent(early.throttled),
      percent(late.use),
      percent(late.throttled),
      whole(mostInAMinute(settled)),
    ]
  })
  return row
}

const percent = (share: number): string => fixed(100 * share, 1)

/** A provider that answers 600 calls a minute and turns all others away, and eight processes with more jobs than that. */
export const limits = async (): Promise<void> => {
  const configured = await run({ rpm })
  const learned = await run({})
  printTable(
    ['', 'use %', '429s %', 'then use %', 'then 429s %', 'most in 60 s'],
    [
      ['the limit is configured', ...configured],
      ['learned from headers and 429s', ...learned],
    ],
  )
}
