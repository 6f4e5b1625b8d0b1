import type { Config } from '../../config/schema.ts'
import { Interrupt } from '../../domain/interrupt.ts'
import { createProvider, type Surroundings } from '../../providers/create-provider.ts'
import type { KeyStatus, Provider } from '../../providers/provider.ts'

/** What a vendor says of a key, and which models it lists for it. */
export interface Heard {
  readonly status: KeyStatus
  /** Why there is no good answer: a status of HTTP, or what broke. */
  readonly why: string | null
  /** Null where it has no list, or none came. */
  readonly models: readonly string[] | null
  /** Where a cloud's identity comes from, in words; null where none is shown. */
  readonly identity: string | null
  /** Why there is no identity: a sentence of ours, with what to do. */
  readonly fault: string | null
}

/** A person waits for it. */
const timeoutMs = 15_000

type Settings = Config['providers'][string]

const withProvider = async <Result>(
  name: string,
  settings: Settings,
  around: Surroundings,
  use: (provider: Provider, signal: Interrupt) => Promise<Result>,
): Promise<Result> => {
  const provider = createProvider(name, settings, undefined, undefined, around)
  const interrupt = new Interrupt()
  const timer = setTimeout(() => interrupt.abort('timeout'), timeoutMs)
  try {
    return await use(provider, interrupt)
  } finally {
    clearTimeout(timer)
    await provider.close()
  }
}

/** Asks for what costs nothing. Never throws. */
export const hearVendor = (
  name: string,
  settings: Settings,
  key: string | null,
  around: Surroundings,
): Promise<Heard> =>
  withProvider(name, settings, around, async (provider, signal) => {
    const proof = await provider.prove?.(signal)
    if (proof && 'kind' in proof && proof.kind === 'break' && proof.reason === 'credentials') {
      const fault = (proof.cause as Error).message
      return { status: 'refused', why: proof.reason, models: null, identity: null, fault }
    }
    const { status, outcome } = await provider.check(key, signal)
    const why = outcome.kind === 'answer' ? String(outcome.status) : outcome.reason
    const models = status === 'refused' ? null : await provider.listModels?.(key, signal)
    const identity = proof && 'source' in proof ? proof.source : null
    return { status, why: status === 'ok' ? null : why, models: models ?? null, identity, fault: null }
  })

export interface Answered {
  readonly isGood: boolean
  readonly why: string
}

/** Asks a model for one token. Never throws. */
export const tryModel = (
  name: string,
  settings: Settings,
  key: string | null,
  model: string,
  around: Surroundings,
): Promise<Answered> =>
  withProvider(name, settings, around, async (provider, signal) => {
    const startedAt = performance.now()
    const outcome = await provider.ping(model, key, signal)
    const tookMs = Math.round(performance.now() - startedAt)
    if (outcome.kind === 'break') return { isGood: false, why: `no answer (${outcome.reason})` }
    const isGood = outcome.status < 300
    return { isGood, why: isGood ? `answered in ${tookMs} ms` : `answered with ${outcome.status}` }
  })
