import type { Providers, Routes } from '../relay/routes.ts'
import type { BatchRecord } from '../store/batch-record.ts'
import type { BlobStore } from '../store/blobs/blob-store.ts'
import { readFile } from '../store/read-file.ts'
import { readLines } from './read-lines.ts'
import { createValidator, type Validation } from './validator.ts'

export interface ValidationParts {
  readonly blobs: BlobStore
  readonly routes: Routes
  readonly providers: Providers
  readonly maxLines: number
  readonly maxLineBytes: number
}

/** Faults that are told to the client: the first are enough to mend a generator by. */
const maxFaults = 100

/** Reads the whole input once, and holds none of it. */
export const validateInput = async (
  parts: ValidationParts,
  { input, endpoint }: BatchRecord,
  signal: AbortSignal,
): Promise<Validation> => {
  const serves = (provider: string): boolean =>
    (parts.providers.get(provider)?.serves(endpoint) ?? 'none') !== 'none'
  const isKnownModel = (model: string): boolean =>
    parts.routes.get(model)?.targets.some(target => serves(target.provider)) ?? false
  const validator = createValidator({ endpoint, maxLines: parts.maxLines, isKnownModel, maxFaults })
  const source = readFile(parts.blobs, input)
  for await (const group of readLines(source, { offset: 0, line: 0 }, parts.maxLineBytes)) {
    signal.throwIfAborted()
    for (const line of group) validator.add(line)
    if (validator.full) break
  }
  return validator.finish()
}
