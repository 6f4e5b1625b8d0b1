import type { LookupFunction } from 'node:net'
import type { Config } from '../config/schema.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { createProvider } from './create-provider.ts'
import type { Provider } from './provider.ts'
import type { Reasons } from './translate.ts'

type Routes = ReadonlyMap<string, { readonly targets: readonly RouteTarget[] }>

/** Whether a provider's models think, as far as the config says so; a route's word counts as much as the provider's. */
const reasonsOf = (routes: Routes, provider: string): Reasons => {
  const told = new Map<string, boolean>()
  for (const { targets } of routes.values()) {
    for (const target of targets) {
      const reasons = target.capabilities?.reasoning
      if (target.provider === provider && reasons !== undefined) told.set(target.model, reasons)
    }
  }
  return model => told.get(model)
}

/** All that the config describes, by name. */
export const createProviders = (
  { providers, proxy }: Pick<Config, 'providers' | 'proxy'>,
  routes: Routes,
  now: () => number,
  lookup?: LookupFunction,
): ReadonlyMap<string, Provider> =>
  new Map(
    Object.entries(providers).map(([name, config]) => [
      name,
      createProvider(name, config, now, reasonsOf(routes, name), { ...proxy, lookup }),
    ]),
  )
