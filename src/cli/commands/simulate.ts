import { duration } from '../../config/durations.ts'
import type { Config } from '../../config/schema.ts'
import { routesOf } from '../../context/routing.ts'
import { keyOf, weightOf } from '../../dispatch/target-order.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import { capacityOf } from '../../domain/planning/demand.ts'
import { type PastJob, recallDurations } from '../../domain/planning/past-durations.ts'
import { type Scenario, simulate } from '../../domain/planning/simulate.ts'
import type { RouteTarget } from '../../domain/routing/chain.ts'
import { chanceOf, orderTargets } from '../../domain/routing/strategy.ts'
import { createProvider } from '../../providers/create-provider.ts'
import type { Provider } from '../../providers/provider.ts'
import { CommandError, type CommandIo, renderJson } from '../command-io.ts'
import { openConfig } from '../open-config.ts'
import { readPastJobs } from '../past-jobs.ts'
import { type SessionOptions, withSession } from '../session.ts'
import { describeSimulation, simulationView } from '../simulation-text.ts'
import { unknownProvider } from './limits.ts'

export interface SimulateOptions extends SessionOptions {
  readonly outage: readonly string[]
  readonly last: string
}

/** Plays the last jobs again along the routes of the config, with and without some of its providers. */
export const simulateOutage = (options: SimulateOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, async ({ api, out, json }) => {
    const { config } = openConfig({ file: options.config, cwd: terminal.cwd, env: terminal.env })
    for (const name of options.outage) {
      if (!Object.hasOwn(config.providers, name)) throw unknownProvider(name, Object.keys(config.providers))
    }
    const { jobs, cut } = await readPastJobs(api, parseDuration(options.last))
    const { scenario, close } = openScenario(config, jobs)
    const simulation = {
      ...{ outages: options.outage, last: options.last, jobs: jobs.length, cut },
      without: simulate(jobs, scenario),
      with: simulate(jobs, { ...scenario, outages: new Set(options.outage) }),
    }
    await close()
    out(json ? renderJson(simulationView(simulation)) : describeSimulation(simulation))
    return 0
  })

const parseDuration = (text: string): number => {
  const parsed = duration.safeParse(text)
  if (!parsed.success) throw new CommandError(`--last ${text}: ${parsed.error.issues[0]?.message}`)
  return parsed.data
}

/** The config as the workers read it, with nothing out of use. */
const openScenario = (
  config: Config,
  jobs: readonly PastJob[],
): { scenario: Scenario; close: () => Promise<void> } => {
  const routes = routesOf(config)
  const { p95 } = recallDurations(jobs)
  const accounts = Object.entries(config.providers)
  const providers = new Map(accounts.map(([name, settings]) => [name, open(name, settings)]))
  return {
    scenario: {
      targetsOf: model => routes.get(model)?.targets,
      order: ({ id, model, answer }, targets) => {
        const route = routes.get(model)!
        return orderTargets<RouteTarget>(targets, {
          strategy: route.strategy,
          weightOf: target => weightOf(route, target),
          figuresOf: target => ({
            ...{ failures: 0, successShare: 1 },
            ...{ p95Ms: p95(target), firstTokenP95Ms: null },
          }),
          isStreamed: false,
          tokens: { input: answer?.usage?.input_tokens ?? 0, output: answer?.usage?.output_tokens ?? 0 },
          chance: chanceOf(id),
          keyOf,
        })
      },
      serves: (name, endpoint) => providers.get(name)?.serves(endpoint as Endpoint) !== 'none',
      capacities: new Map(accounts.map(([name, account]) => [name, capacityOf(account)])),
      outages: new Set(),
    },
    close: async () => {
      await Promise.all([...providers.values()].map(provider => provider?.close()))
    },
  }
}

/** Null where it cannot be opened here, for a lack of credentials perhaps: it is taken to serve all. */
const open = (name: string, settings: Config['providers'][string]): Provider | null => {
  try {
    return createProvider(name, settings)
  } catch {
    return null
  }
}
