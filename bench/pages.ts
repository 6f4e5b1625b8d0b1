import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, printTable, whole } from '../harness/figures.ts'
import { cpuMicrosOf } from '../harness/process-usage.ts'
import { until } from '../harness/until.ts'
import { batonInput, provider } from './support/deployment.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { startBaton, startSim } from './support/processes.ts'
import { createSteadyCalls } from './support/steady-calls.ts'

const usualPages = 50
const rounds = 3
const turnMs = 10_000
const perSecond = 50
/** A page shows them all; one of them works. */
const providerCount = 10
const topics = '/v1/admin/events?topics=overview,providers'

interface Pages {
  /** Bytes that all of them were sent. */
  readonly bytes: number
  close(): Promise<void>
}

/** As many browsers as that have the page open. */
const openPages = async (url: string, count: number): Promise<Pages> => {
  const dispatcher = new Agent({ connections: count })
  let [bytes, begun] = [0, 0]
  for (let i = 0; i < count; i++) {
    const { body, statusCode } = await request(url + topics, { dispatcher, bodyTimeout: 0 })
    if (statusCode !== 200) throw new Error(`a page was answered ${statusCode}`)
    body.once('data', () => void begun++)
    body.on('data', (chunk: Buffer) => (bytes += chunk.length))
    body.on('error', () => undefined)
  }
  await until(() => begun === count)
  return {
    get bytes() {
      return bytes
    },
    close: () => dispatcher.destroy(),
  }
}

/** What open pages cost the process of the API, while calls come evenly. */
export const pages = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const count = jobsOr(usualPages)
    const { url: simUrl } = await startSim(environment)
    const { redisUrl, config } = batonInput(environment.redisUrl, simUrl)
    const { providers } = config as { readonly providers: Readonly<Record<string, object>> }
    const idle = Array.from({ length: providerCount - 1 }, (_, i) => [`idle${i}`, providers[provider]!])
    const input = {
      redisUrl,
      config: {
        ...config,
        providers: { ...providers, ...Object.fromEntries(idle) },
        ui: { max_streams: count },
      },
    }
    await startBaton(environment, 'worker', input)
    const api = await startBaton(environment, 'api', input)
    const calls = createSteadyCalls(api.url, 'call-')
    environment.closing(() => calls.close())

    /** The share of a core that the process used. */
    const shareOf = async (): Promise<number> => {
      const [from, startedAt] = [await cpuMicrosOf(api.pid), performance.now()]
      await calls.run(perSecond, turnMs)
      return (((await cpuMicrosOf(api.pid)) - from) / 1e3 / (performance.now() - startedAt)) * 100
    }

    await calls.run(perSecond, turnMs)
    const shares: { none: number; one: number; all: number; bytes: number }[] = []
    for (let round = 0; round < roundsOr(rounds); round++) {
      const none = await shareOf()
      const single = await openPages(api.url, 1)
      const one = await shareOf()
      const more = await openPages(api.url, count - 1)
      const before = more.bytes
      const all = await shareOf()
      shares.push({ none, one, all, bytes: (more.bytes - before) / (count - 1) / (turnMs / 1_000) })
      await Promise.all([single.close(), more.close()])
      await delay(1_000)
    }
    const of = (read: (share: (typeof shares)[number]) => number): number => median(shares.map(read))
    printTable(
      ['pages open', '% of a core', 'added', 'bytes a page and second'],
      [
        [
          '0',
          fixed(
            of(s => s.none),
            1,
          ),
          '',
          '',
        ],
        [
          '1',
          fixed(
            of(s => s.one),
            1,
          ),
          fixed(
            of(s => s.one - s.none),
            1,
          ),
          '',
        ],
        [
          whole(count),
          fixed(
            of(s => s.all),
            1,
          ),
          fixed(
            of(s => s.all - s.none),
            1,
          ),
          whole(of(s => s.bytes)),
        ],
      ],
    )
  })
