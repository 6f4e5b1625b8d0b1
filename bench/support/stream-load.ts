import type { TestEnvironment } from '../../harness/environment.ts'
import { chatBody } from './chat.ts'
import { startProcess } from './processes.ts'

/** How the provider streams an answer. It stands in the request's `user`, which all on the way pass on as it is. */
export interface Pace {
  readonly tokens: number
  readonly firstTokenMs: number
  readonly gapMs: number
}

/** Microseconds by a clock that all processes of the machine share. */
export const nowMicros = (): number => Number(process.hrtime.bigint() / 1_000n)

export const streamText = (pace: Pace): string =>
  JSON.stringify({ ...chatBody, stream: true, user: JSON.stringify(pace) })

export interface StreamLoad {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly pace: Pace
  readonly streams: number
  /** Begun evenly, whatever becomes of those before them; null: as many at once as there are lanes. */
  readonly perSecond: number | null
  readonly lanes: number
}

/** What readers saw of a load. Times are ms. */
export interface StreamReport {
  readonly ms: number
  readonly tokens: number
  /** From when a stream was due to its first token. */
  readonly first: Percentiles
  /** From when the provider wrote a token to when its reader has it, the first ones left out. */
  readonly later: Percentiles
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
}

/** Readers of streams in a process of their own. */
export interface StreamClient {
  /** Rejects where a stream was not whole. */
  run(load: StreamLoad): Promise<StreamReport>
  /** Resolves when all are open and their first token has come; they go on. */
  open(load: StreamLoad): Promise<void>
}

const post = async (url: string, load: StreamLoad): Promise<unknown> => {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(load) })
  if (response.status !== 200) throw new Error(await response.text())
  return response.json()
}

export const startStreamClient = async (environment: TestEnvironment): Promise<StreamClient> => {
  const { url } = await startProcess(environment, 'stream-client', {})
  return {
    run: async load => (await post(`${url}/run`, load)) as StreamReport,
    open: async load => void (await post(`${url}/open`, load)),
  }
}

/** Starts a provider that writes into each token when it wrote it. */
export const startStreamProvider = (environment: TestEnvironment) =>
  startProcess(environment, 'stream-provider', {})
