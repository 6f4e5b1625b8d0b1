import type { Target } from './job.ts'

/** A target with the names by which it is kept, where those are not the model's. */
export interface KeptTarget extends Target {
  /** By which its health and limits go: of a model that a client named and its provider never answered. */
  readonly keptAs?: string
  /** By which its measures go: of any model that a client named. */
  readonly measuredAs?: string
}

/** The same as measures know it. */
export const measuredOf = ({ provider, model, measuredAs }: KeptTarget): Target => ({
  provider,
  model: measuredAs ?? model,
})

/** The same as its circuit and limits know it. */
export const stateOf = ({ provider, model, keptAs }: KeptTarget): Target => ({
  provider,
  model: keptAs ?? model,
})
