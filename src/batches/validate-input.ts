import type { Providers, Routes } from '../dispatch/routes.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import type { BlobStore } from '../files/blobs/blob-store.ts'
import { readFile } from '../files/read-file.ts'
import { createPriceGaps, sayPriceGap } from './price-gaps.ts'
import { readLines } from './read-lines.ts'
import type { BatchRecord } from './record.ts'
import { createValidator, type Validation } from './validator.ts'

export interface ValidationDeps {
  readonly blobs: BlobStore
  readonly routes: Routes
  readonly providers: Providers
  readonly maxLines: number
  readonly maxLineBytes: number
}

/** How many faults the client gets: the first are enough to mend a generator by. */
const maxFaults = 100

/** Whether a request for this model, at this endpoint, has a target. */
export const canServe = (
  { routes, providers }: Pick<ValidationDeps, 'providers' | 'routes'>,
  endpoint: Endpoint,
  model: string,
): boolean =>
  routes
    .get(model)
    ?.targets.some(({ provider }) => (providers.get(provider)?.serves(endpoint) ?? 'none') !== 'none') ??
  false

/** Reads the whole input once, and holds none of it. */
export const validateInput = async (
  parts: ValidationDeps,
  { input, endpoint, maxCostUsd }: BatchRecord,
  signal: AbortSignal,
): Promise<Validation> => {
  const isKnownModel = (model: string): boolean => canServe(parts, endpoint, model)
  const gaps = createPriceGaps(parts.routes, parts.providers, endpoint)
  const uncountable = (model: string): string | null => {
    const gap = maxCostUsd === null ? null : gaps.of(model)
    return gap && sayPriceGap(gap)
  }
  const validator = createValidator({
    ...{ endpoint, isKnownModel, uncountable, maxFaults },
    maxLines: parts.maxLines,
  })
  const source = readFile(parts.blobs, input)
  for await (const group of readLines(source, { offset: 0, line: 0 }, parts.maxLineBytes)) {
    signal.throwIfAborted()
    for (const line of group) validator.add(line)
    if (validator.full) break
  }
  return validator.finish()
}
