import type { Config } from '../../config/schema.ts'
import { Interrupt } from '../../domain/interrupt.ts'
import { createProvider } from '../../providers/create-provider.ts'
import type { KeyStatus, Provider } from '../../providers/provider.ts'

/** What a vendor says of a key, and which models it lists for it. */
export interface Heard {
  readonly status: KeyStatus
  /** Why there is no good answer: a status of HTTP, or what broke. */
  readonly why: string | null
  /** Null where it has no list, or none came. */
  readonly models: readonly string[] | null
}

/** A person waits for it. */
const timeoutMs = 15_000

type Settings = Config['providers'][string]

const withProvider = async <Result>(
  name: string,
  settings: Settings,
  proxy: Config['proxy'],
  use: (provider: Provider, signal: Interrupt) => Promise<Result>,
): Promise<Result> => {
  const provider = createProvider(name, settings, undefined, undefined, proxy)
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
  proxy: Config['proxy'],
): Promise<Heard> =>
  withProvider(name, settings, proxy, async (provider, signal) => {
    const { status, outcome } = await provider.check(key, signal)
    const why = outcome.kind === 'answer' ? String(outcome.status) : outcome.reason
    const models = status === 'refused' ? null : await provider.listModels?.(key, signal)
    return { status, why: status === 'ok' ? null : why, models: models ?? null }
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
  proxy: Config['proxy'],
): Promise<Answered> =>
  withProvider(name, settings, proxy, async (provider, signal) => {
    const startedAt = performance.now()
    const outcome = await provider.ping(model, key, signal)
    const tookMs = Math.round(performance.now() - startedAt)
    if (outcome.kind === 'break') return { isGood: false, why: `no answer (${outcome.reason})` }
    const isGood = outcome.status < 300
    return { isGood, why: isGood ? `answered in ${tookMs} ms` : `answered with ${outcome.status}` }
  })
