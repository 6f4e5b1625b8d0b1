import type { Simulated, SimulatedProvider } from '../domain/planning/simulate.ts'
import { renderCount, renderDuration, renderTable } from '../terminal/format.ts'

export interface Simulation {
  readonly outages: readonly string[]
  /** As it was asked for: `1h`. */
  readonly last: string
  readonly jobs: number
  /** Whether there were more. */
  readonly cut: boolean
  readonly without: Simulated
  readonly with: Simulated
}

/** What the figures rest on; docs/commands.md says the same. */
const assumptions: readonly string[] = [
  'the outage is known from the first job on, and lasts: the few calls that would find it out are not counted',
  'other providers do not fail; each takes what its limits in the config allow, first come, first served',
  'workers and connections are enough; routes by weight or speed order their targets by the whole of these jobs',
  'a job takes as long as it took, or at another provider the median of those that were answered there',
  'tokens are those that were counted; a job that was not answered has none',
  'what a request needs (images, tools …) cannot be seen in the list of jobs: only endpoints and context windows count',
  'lines of batches are listed only while their batch collects them',
]

export const describeSimulation = (simulation: Simulation): string => {
  const { outages, last, jobs, cut, without, with: out } = simulation
  const which = cut ? `the newest ${jobs} jobs` : renderCount(jobs, 'job')
  return [
    `${which} of the last ${last}, with ${outages.join(' and ')} out of use`,
    renderTable([['', 'WITHOUT OUTAGE', 'WITH IT'], ...rowsOf(without, out)]),
    '',
    renderTable([
      ['PROVIDER', 'JOBS', 'REQUESTS/MIN AT MOST', 'TOKENS/MIN AT MOST', 'COST'],
      ...providerRows(without, out, outages),
    ]),
    '',
    'assumed:',
    ...assumptions.map(text => `  ${text}`),
  ].join('\n')
}

const rowsOf = (without: Simulated, out: Simulated): string[][] => {
  const row = (label: string, tell: (simulated: Simulated) => string): string[] => [
    label,
    tell(without),
    tell(out),
  ]
  const optional = (label: string, tell: (simulated: Simulated) => number): string[][] =>
    tell(without) + tell(out) === 0 ? [] : [row(label, simulated => String(tell(simulated)))]
  return [
    row('answered', ({ answered }) => String(answered)),
    row('waited for room in a limit', waitOf),
    row('parked until the outage ends', ({ stranded }) => String(stranded)),
    ...optional('no target can serve', ({ failed }) => failed),
    ...optional('no such route in the config', ({ refused }) => refused),
    row('cost', ({ costUsd, answered, unpriced }) =>
      answered > 0 && unpriced === answered ? 'unknown' : dollars(costUsd),
    ),
    row('latency, median', ({ latencyMs }) => (latencyMs ? describeMs(latencyMs.median) : 'unknown')),
    row('latency, 95 % within', ({ latencyMs }) => (latencyMs ? describeMs(latencyMs.p95) : 'unknown')),
    ...optional('answered at an unknown cost', ({ unpriced }) => unpriced),
    ...optional('answered in an unknown time', ({ untimed }) => untimed),
  ]
}

const waitOf = ({ waited, longestWaitMs }: Simulated): string =>
  waited === 0 ? '0' : `${waited}, up to ${describeMs(longestWaitMs)}`

const describeMs = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)} ms` : ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : renderDuration(ms)

/** Cents are too coarse for what small models cost. */
const dollars = (usd: number): string => `$${usd >= 1 ? usd.toFixed(2) : Number(usd.toPrecision(2))}`

const providerRows = (without: Simulated, out: Simulated, outages: readonly string[]): string[][] => {
  const names = [...new Set([...without.providers, ...out.providers].map(({ provider }) => provider))]
  return names.toSorted().map(name => {
    const [before, after] = [without, out].map(({ providers }) =>
      providers.find(({ provider }) => provider === name),
    )
    const shift = (tell: (provider: SimulatedProvider) => string | number, none: string | number): string =>
      `${before ? tell(before) : none} -> ${after ? tell(after) : none}`
    const limit = (measure: 'rpm' | 'tpm'): string => {
      const capacity = (after ?? before)?.capacity[measure] ?? null
      return capacity === null ? ' (no limit set)' : ` of ${capacity}`
    }
    return [
      outages.includes(name) ? `${name} (out)` : name,
      shift(({ jobs }) => jobs, 0),
      shift(({ peak }) => peak.requests, 0) + limit('rpm'),
      shift(({ peak }) => peak.tokens, 0) + limit('tpm'),
      shift(({ costUsd }) => dollars(costUsd), '$0'),
    ]
  })
}

/** The same for `--json`. */
export const simulationView = ({ outages, last, jobs, cut, without, with: out }: Simulation) => ({
  outages,
  last,
  jobs,
  cut,
  without_outage: view(without),
  with_outage: view(out),
  assumptions,
})

const view = (simulated: Simulated) => ({
  answered: simulated.answered,
  waited: simulated.waited,
  longest_wait_ms: simulated.longestWaitMs,
  parked: simulated.stranded,
  no_target: simulated.failed,
  unknown_route: simulated.refused,
  cost_usd: simulated.costUsd,
  latency_ms: simulated.latencyMs,
  unknown_cost: simulated.unpriced,
  unknown_duration: simulated.untimed,
  providers: simulated.providers.map(({ provider, jobs, peak, capacity, costUsd }) => ({
    provider,
    jobs,
    peak_rpm: peak.requests,
    peak_tpm: peak.tokens,
    rpm: capacity.rpm,
    tpm: capacity.tpm,
    cost_usd: costUsd,
  })),
})
