import type { KeptAnswer } from '../cache/answer-cache.ts'
import type { Joined } from '../cache/single-flight.ts'
import { costOf, usageOf } from '../domain/usage.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Routes } from './routes.ts'

export interface CacheLookupDeps {
  readonly routes: Routes
  readonly telemetry: Pick<Telemetry, 'emit'>
}

const results = { hit: 'hit', follow: 'shared', call: 'miss' } as const

/** Notes what a look into the cache of a route came to, and what its answer would have cost. */
export const createNoteLookup = ({ routes, telemetry }: CacheLookupDeps) => {
  const priceOf = (route: string, { provider, model }: KeptAnswer['target']) =>
    routes.get(route)?.targets.find(target => target.provider === provider && target.model === model)?.price

  return (route: string, joined: Joined): void => {
    const answer = joined.kind === 'hit' ? joined.answer : null
    const price = answer && priceOf(route, answer.target)
    const savedUsd = price ? costOf(usageIn(answer!.body), price) : null
    telemetry.emit({
      ...{ kind: 'cache.looked_up', route, result: results[joined.kind] },
      saved: savedUsd === null ? null : { ...answer!.target, usd: savedUsd },
    })
  }
}

const usageIn = (body: string): ReturnType<typeof usageOf> => {
  try {
    return usageOf(JSON.parse(body))
  } catch {
    return null
  }
}
