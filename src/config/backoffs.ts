import type { Backoff } from '../domain/routing/backoff.ts'
import type { Config } from './schema.ts'

/** For how long a job leaves a target alone that failed it, by the target's provider. */
export const backoffsOf = ({ providers }: Config): ((target: { readonly provider: string }) => Backoff) => {
  const backoffs = new Map(
    Object.entries(providers).map(([name, { backoff }]) => [
      name,
      { baseMs: backoff.base, capMs: backoff.cap },
    ]),
  )
  // A job may still be at a provider that the config has no more.
  return ({ provider }) => backoffs.get(provider) ?? { baseMs: 0, capMs: 0 }
}
