import { createHistory } from '../../src/health/history.ts'
import type { BatonApi } from '../support/open-baton.ts'

/** The last hour as workers write it down, a row a minute, in which `first` was away for ten of them. */
export const writeHour = async ({ context: { redis, keys } }: BatonApi): Promise<void> => {
  const history = createHistory(redis, keys.prefix)
  const now = Math.floor(Date.now() / 60_000) * 60
  for (let ago = 50; ago > 0; ago--) {
    const isAway = ago > 20 && ago < 30
    const wave = 20 + 8 * Math.sin(ago / 5)
    await history.write({
      ...{
        at: now - ago * 60,
        accepted: wave,
        ended: wave - 1,
        failed: isAway ? 3 : 0.1,
        handovers: 0,
        waiting: 40,
      },
      providers: { first: [wave, isAway ? 9 : 0, 700 + ago * 10, 12, isAway ? 'down' : 'healthy'] },
    })
  }
}
