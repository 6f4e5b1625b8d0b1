import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createStreamHub, type StreamHub } from '../streams/stream-hub.ts'
import { createStreamLogs, type StreamLogs } from '../streams/stream-logs.ts'
import type { Foundation } from './foundation.ts'

/** Where the streams of this process's jobs go, and where its readers find theirs. */
export interface Streams {
  readonly streamHub: StreamHub
  readonly streamLogs: StreamLogs
}

export const openStreams = async (
  life: Lifecycle,
  { redis, run, keys, subscriber, instance }: Foundation,
): Promise<Streams> => {
  const streamHub = await life.open(
    'streams',
    async () => {
      const hub = createStreamHub(subscriber, keys, instance)
      await hub.start()
      return hub
    },
    hub => hub.stop(),
  )
  return { streamHub, streamLogs: createStreamLogs({ redis, run, keys, instance }) }
}
