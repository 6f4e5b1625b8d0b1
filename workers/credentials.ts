import type { Logger } from 'pino'
import type { AppContext } from '../src/context/context.ts'
import { stoppedMs } from '../src/dispatch/suspend.ts'
import { Interrupt } from '../src/domain/interrupt.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { createRepeating } from '../src/lifecycle/repeating.ts'

const reason = 'no_credentials'

const roundMs = 1_000
/** Who gives credentials is asked again after this, then after twice as long, and so on up to the longest. */
const firstPauseMs = 2_000
const longestPauseMs = 30_000

/**
 * Gets the credentials of a provider's cloud before the first call needs them. Where there are none, the provider is stopped at
 * once, as a call would stop it, and they are asked for again and again: where there are some, what was stopped for want of them
 * goes on.
 */
export const openCredentials = async (
  life: Lifecycle,
  { providers, cooldowns, keyRings, now }: Pick<AppContext, 'providers' | 'cooldowns' | 'keyRings' | 'now'>,
  name: string,
  log: Logger,
): Promise<void> => {
  const provider = providers.get(name)!
  const scope = keyRings.get(name)!.scopeOf('none')

  const isStopped = (): boolean =>
    cooldowns.current().some(entry => entry.scope === scope && entry.reason === reason)

  const lift = async (source: string): Promise<void> => {
    log.info({ event: 'credentials.found', source }, 'credentials found')
    if (isStopped()) await cooldowns.lift(name)
  }

  const stop = (cause: Error): void => {
    log.error({ event: 'credentials.missing', err: cause }, 'no credentials: nothing can be called')
    const error = {
      ...{ provider: name, model: '', status_code: null },
      ...{ code: 'credentials', message: cause.message },
    }
    cooldowns.suspend(scope, 'stopped', now() + stoppedMs, reason, { verdict: 'bad_credentials', error })
  }

  if (!provider.prove) return
  const interrupt = new Interrupt()
  let pauseMs = firstPauseMs
  let askAtMs = 0
  let hasAsked = false

  const round = async (): Promise<void> => {
    if (hasAsked && !isStopped()) {
      pauseMs = firstPauseMs
      return
    }
    if (now() < askAtMs) return
    try {
      const proof = await provider.prove!(interrupt)
      if ('source' in proof) await lift(proof.source)
      // Told once: what asks again and again would cry each time.
      else if (!hasAsked && proof.kind === 'break' && proof.reason === 'credentials')
        stop(proof.cause as Error)
    } catch (error) {
      log.warn({ event: 'credentials.not_lifted', err: error }, 'provider still stopped')
    }
    hasAsked = true
    askAtMs = now() + pauseMs
    pauseMs = Math.min(2 * pauseMs, longestPauseMs)
  }

  const rounds = createRepeating('credentials', roundMs, round, log)
  await life.open(
    'credentials',
    () => rounds.start(),
    async () => {
      interrupt.abort('shutdown')
      await rounds.stop()
    },
  )
}
