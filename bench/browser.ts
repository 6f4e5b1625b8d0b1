import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'
import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, printTable, whole } from '../harness/figures.ts'
import { obtainChromium } from '../harness/obtain-chromium.ts'
import { until } from '../harness/until.ts'
import { chatLineBytes, createBatchClient, writeRequests } from './support/batches.ts'
import { inLanes } from './support/chat.ts'
import { batonInput, provider } from './support/deployment.ts'
import { openLoader } from './support/load-queue.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { startBaton, startSim } from './support/processes.ts'

const usualJobs = 100_000
const batchCount = 100
const linesEach = 100
const rounds = 5
const watchedMs = 10_000
const patienceMs = 20_000
/** So that rows change while they are looked at. */
const callsAMinute = 600

/** What a screen must have in its tables to be read, by its path. */
const screens: readonly (readonly [path: string, rows: number])[] = [
  ['/ui', 1],
  ['/ui/providers', 1],
  [`/ui/providers/${provider}`, 1],
  ['/ui/batches', batchCount],
  ['/ui/jobs', 50],
  // Cut for time, a page may have none of its two.
  ['/ui/jobs?meta.customer=c77', 0],
  ['/ui/jobs?status=queued', 50],
  ['/ui/jobs?status=failed', 0],
  ['/ui/costs', 0],
  ['/ui/webhooks', 0],
]

interface Visit {
  /** From the start of the navigation until what was asked for is there. */
  readonly ms: number
  readonly rows: number
  readonly kilobytes: number
}

const visit = async (context: BrowserContext, path: string, rows: number): Promise<Visit> => {
  const page = await context.newPage()
  let bytes = 0
  page.on('requestfinished', async request => {
    const sizes = await request.sizes().catch(() => null)
    bytes += (sizes?.responseBodySize ?? 0) + (sizes?.responseHeadersSize ?? 0)
  })
  await page.goto(path, { waitUntil: 'commit' })
  // The policy of the page forbids what Playwright's own waiting does.
  const [ms, shown] = await page.evaluate<[ms: number, rows: number]>(
    `new Promise((done, fail) => {
       const look = () => {
         const rows = document.querySelectorAll('main tbody tr').length
         const isReady = document.querySelector('main .panel') !== null && document.querySelector('.loading') === null
         if (rows >= ${rows} && isReady) done([performance.now(), rows])
         else if (performance.now() > ${patienceMs}) fail(new Error(${JSON.stringify(path)} + ' has ' + rows + ' rows'))
         else setTimeout(look, 4)
       }
       look()
     })`,
  )
  await page.close()
  return { ms, rows: shown, kilobytes: bytes / 1_000 }
}

/** How long a page that is open keeps the browser from answering, by tasks of more than 50 ms. */
const blockedMs = async (context: BrowserContext, path: string): Promise<number> => {
  const page = await context.newPage()
  await page.addInitScript(
    `window.blocked = 0
     new PerformanceObserver(list => { for (const task of list.getEntries()) blocked += task.duration - 50 }).observe({ type: 'longtask' })`,
  )
  await page.goto(path)
  await page.evaluate('new Promise(done => setTimeout(done, 1000)).then(() => { blocked = 0 })')
  const blocked = await page.evaluate<number>(
    `new Promise(done => setTimeout(() => done(blocked), ${watchedMs}))`,
  )
  await page.close()
  return blocked
}

const fresh = (browser: Browser, baseURL: string): Promise<BrowserContext> =>
  browser.newContext({ baseURL, viewport: { width: 1_280, height: 800 } })

/** The operators' page in a browser, beside many jobs that wait and batches that move. */
export const browser = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { url: simUrl } = await startSim(environment)
    const { redisUrl, config } = batonInput(environment.redisUrl, simUrl)
    const { providers } = config as { readonly providers: Readonly<Record<string, object>> }
    const input = {
      redisUrl,
      config: {
        ...config,
        providers: { [provider]: { ...providers[provider], limits: { rpm: callsAMinute } } },
        ui: { enabled: true },
        jobs: { indexed_metadata: ['customer'] },
      },
    }
    const loader = await openLoader(input)
    environment.closing(loader.close)
    await loader.load(jobsOr(usualJobs), i => ({ metadata: { customer: `c${Math.floor(i / 2)}` } }))
    await loader.allRung()
    const api = await startBaton(environment, 'api', input)
    await startBaton(environment, 'batches', input)
    const file = join(environment.dir, 'requests.jsonl')
    await writeRequests(file, linesEach, chatLineBytes)
    const batches = createBatchClient(api.url)
    await inLanes(10, batchCount, async () => {
      await batches.create(await batches.upload(file))
    })
    await until(async () => {
      const answer = await fetch(`${api.url}/v1/admin/batches?status=in_progress&limit=100`)
      return ((await answer.json()) as { data: readonly unknown[] }).data.length === batchCount
    })
    await startBaton(environment, 'worker', input)

    const chrome = await chromium.launch({
      ...{ executablePath: await obtainChromium(), headless: true },
      args: ['--no-sandbox', '--disable-gpu'],
    })
    environment.closing(() => chrome.close())
    const firsts: Visit[] = []
    for (let round = 0; round <= roundsOr(rounds); round++) {
      const context = await fresh(chrome, api.url)
      const first = await visit(context, '/ui', 1)
      // The first one of all opens the browser's own files.
      if (round > 0) firsts.push(first)
      await context.close()
    }
    const context = await fresh(chrome, api.url)
    const rows: string[][] = [
      [
        'first load of /ui',
        fixed(median(firsts.map(({ ms }) => ms)), 0),
        fixed(Math.max(...firsts.map(({ ms }) => ms)), 0),
        '',
        fixed(median(firsts.map(({ kilobytes }) => kilobytes)), 1),
      ],
    ]
    for (const [path, count] of screens) {
      const visits: Visit[] = []
      for (let round = 0; round < roundsOr(rounds); round++) visits.push(await visit(context, path, count))
      const times = visits.map(({ ms }) => ms)
      rows.push([path, fixed(median(times), 0), fixed(Math.max(...times), 0), whole(visits.at(-1)!.rows), ''])
    }
    printTable(['screen', 'ms until it can be read', 'slowest', 'rows', 'kB'], rows)
    const watched: string[][] = []
    for (const path of ['/ui', '/ui/batches', '/ui/jobs?status=queued'])
      watched.push([path, whole(await blockedMs(context, path))])
    printTable([`open for ${watchedMs / 1_000} s`, 'ms blocked'], watched)
  })
