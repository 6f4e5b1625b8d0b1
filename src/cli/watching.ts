import { setTimeout as delay } from 'node:timers/promises'
import { ApiUnavailable } from './api-client.ts'
import type { Session } from './session.ts'

export interface WatchOptions {
  /** Shown again and again until Ctrl-C. */
  readonly watch?: boolean
}

const pauseMs = 2_000
/** To the upper left corner, and nothing after what is written there. */
const [home, clearRest] = ['\u001b[H\u001b[2J', '\u001b[J'] as const

/**
 * Prints what a look tells, once or until Ctrl-C, which is then how it ends well. On a terminal each look takes the place of
 * the last; elsewhere one is printed that tells something else. Once there was an answer, an API that is away is waited for.
 */
export const watching = async (
  session: Session,
  { watch }: WatchOptions,
  look: () => Promise<string>,
): Promise<number> => {
  const { out, output, signal, paint, api } = session
  let seen = await look()
  let shown = seen
  if (!watch) {
    out(seen)
    return 0
  }
  const show = (text: string): void => {
    if (!output.isTTY) {
      out(text)
      return
    }
    const time = new Date(api.nowMs()).toISOString().slice(11, 19)
    output.write(
      `${home}${paint('quiet', `every ${pauseMs / 1_000} s · ${time} UTC · Ctrl-C ends`)}\n\n${text}\n${clearRest}`,
    )
  }
  show(seen)
  try {
    for (;;) {
      await delay(pauseMs, undefined, { signal })
      const text = await look().catch(error => {
        if (error instanceof ApiUnavailable) return null
        throw error
      })
      seen = text ?? seen
      const told = text ?? `${paint('bad', `no answer from ${api.url}; before that:`)}\n\n${seen}`
      if (output.isTTY || told !== shown) show(told)
      shown = told
    }
  } catch (error) {
    if (signal.aborted) return 0
    throw error
  }
}
