import { readProcesses, silentAfterMs } from '../health/heartbeats.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createStreamHub, type StreamHub } from '../streams/stream-hub.ts'
import { createStreamLeavers, type StreamLeavers } from '../streams/stream-leavers.ts'
import { createStreamLogs, type StreamLogs } from '../streams/stream-logs.ts'
import type { Foundation } from './foundation.ts'
import type { Stores } from './stores.ts'

/** Where the streams of this process's jobs go, and where its readers find theirs. */
export interface Streams {
  readonly streamHub: StreamHub
  readonly streamLogs: StreamLogs
  readonly streamLeavers: StreamLeavers
}

export const openStreams = async (
  life: Lifecycle,
  { redis, run, keys, subscriber, instance, config, log, now }: Foundation,
  { store }: Pick<Stores, 'store'>,
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
  const living = async (): Promise<ReadonlySet<string>> =>
    new Set((await readProcesses(redis, keys.prefix, now())).map(process => process.instance))
  const streamLogs = createStreamLogs({ redis, run, keys, instance, living })
  const streamLeavers = await life.open(
    'stream leavers',
    () =>
      createStreamLeavers({
        ...{ hub: streamHub, logs: streamLogs, store, log },
        ...{ graceMs: config.stream.grace, silentAfterMs },
      }),
    leavers => leavers.stop(),
  )
  return { streamHub, streamLogs, streamLeavers }
}
