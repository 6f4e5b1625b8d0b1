import type { Target } from './job.ts'

/** A target with the name by which its health, limits and measures are kept, where that is not the model's. */
export interface KeptTarget extends Target {
  readonly keptAs?: string
}

/** The same as its health, limits and measures know it. */
export const stateOf = ({ provider, model, keptAs }: KeptTarget): Target => ({
  provider,
  model: keptAs ?? model,
})
