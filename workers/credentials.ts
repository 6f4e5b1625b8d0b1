import type { Logger } from 'pino'
import type { AppContext } from '../src/context/context.ts'
import { stoppedMs } from '../src/dispatch/upstream-caller.ts'
import { Interrupt } from '../src/domain/interrupt.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'

const reason = 'no_credentials'

/**
 * Gets the credentials of a provider's cloud before the first call needs them. Where there are none, the provider is stopped at
 * once, as a call would stop it; where there are some again, what was stopped for want of them goes on.
 */
export const openCredentials = async (
  life: Lifecycle,
  { providers, cooldowns, now }: Pick<AppContext, 'providers' | 'cooldowns' | 'now'>,
  name: string,
  log: Logger,
): Promise<void> => {
  const provider = providers.get(name)!
  const scope = `provider:${name}` as const

  const prove = async (interrupt: Interrupt): Promise<void> => {
    const proof = await provider.prove!(interrupt)
    if ('source' in proof) {
      log.info({ event: 'credentials.found', source: proof.source }, 'credentials found')
      const isStopped = cooldowns.current().some(entry => entry.scope === scope && entry.reason === reason)
      if (isStopped) await cooldowns.lift(name)
    } else if (proof.kind === 'break' && proof.reason === 'credentials') {
      log.error({ event: 'credentials.missing', err: proof.cause }, 'no credentials: nothing can be called')
      const { message } = proof.cause as Error
      const error = { provider: name, model: '', status_code: null, code: proof.reason, message }
      cooldowns.suspend(scope, 'stopped', now() + stoppedMs, reason, { verdict: 'bad_credentials', error })
    }
  }

  if (!provider.prove) return
  await life.open(
    'credentials',
    () => {
      const interrupt = new Interrupt()
      const done = prove(interrupt).catch(error =>
        log.warn({ event: 'credentials.not_lifted', err: error }, 'provider still stopped'),
      )
      return { interrupt, done }
    },
    async ({ interrupt, done }) => {
      interrupt.abort('shutdown')
      await done
    },
  )
}
