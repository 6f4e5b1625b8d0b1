import type { ProviderView } from '../src/api/operator/provider-view.ts'
import type { ActionView, PageEvents, Tick, Trouble } from '../src/api/operator/views.ts'
import { ApiError, readSession } from './api.ts'
import { go } from './router.ts'
import {
  actions,
  batchRows,
  heardAt,
  jobRows,
  learnProvider,
  newerVersion,
  openBatch,
  openJob,
  overview,
  providers,
  receivers,
  serverAhead,
  session,
  tick,
  troubles,
} from './store.ts'

interface Snapshot extends Omit<PageEvents['snapshot'], 'providers'> {
  readonly providers?: readonly ProviderView[]
}

const pausesMs = [1_000, 2_000, 5_000, 10_000]
/** A tab that nobody sees lets go of its connection: browsers give a host six. */
const hiddenAfterMs = 5_000

let source: EventSource | null = null
let topics = ''
let failures = 0
let retry: ReturnType<typeof setTimeout> | undefined

const onSnapshot = (all: Snapshot): void => {
  if (all.overview) {
    overview.value = all.overview
    tick.value = all.overview
    troubles.value = all.overview.troubles
    actions.value = all.overview.actions
  }
  if (all.providers) providers.value = all.providers
  openJob.value = all.job ?? null
  openBatch.value = all.batch ?? null
  jobRows.value = byId(all.rows ?? [])
  batchRows.value = byId(all.batches ?? [])
  receivers.value = all.webhooks ?? null
}

const byId = <Row extends { readonly id: string }>(
  rows: readonly Row[],
  before: ReadonlyMap<string, Row> = new Map(),
): ReadonlyMap<string, Row> => new Map([...before, ...rows.map(row => [row.id, row] as const)])

const onTick = (news: Tick | { readonly read_at: number }): void => {
  if ('waiting' in news) {
    tick.value = news
    if (overview.value) overview.value = { ...overview.value, ...news }
  }
  serverAhead.value = news.read_at - Date.now() / 1_000
}

const open = (): void => {
  clearTimeout(retry)
  source?.close()
  source = null
  if (topics === '' || document.hidden) return
  const own = new EventSource(`/v1/admin/events?topics=${encodeURIComponent(topics)}`)
  source = own
  const on = <Data>(name: string, take: (data: Data) => void): void =>
    own.addEventListener(name, event => {
      heardAt.value = Date.now()
      failures = 0
      take(JSON.parse(event.data) as Data)
    })
  on<{ version: string; server_time: number }>('hello', ({ version, server_time }) => {
    serverAhead.value = server_time - Date.now() / 1_000
    if (session.value && version !== session.value.version) newerVersion.value = version
  })
  on<Snapshot>('snapshot', onSnapshot)
  on<Tick>('tick', onTick)
  on<ProviderView>('provider', learnProvider)
  on<readonly Trouble[]>('troubles', all => {
    troubles.value = all
  })
  on<PageEvents['job']>('job', job => {
    openJob.value = job
  })
  on<PageEvents['batch']>('batch', batch => {
    openBatch.value = batch
  })
  on<PageEvents['rows']>('rows', rows => {
    jobRows.value = byId(rows, jobRows.value)
  })
  on<PageEvents['batches']>('batches', rows => {
    batchRows.value = byId(rows, batchRows.value)
  })
  on<PageEvents['webhooks']>('webhooks', all => {
    receivers.value = all
  })
  on<ActionView>('action', one => {
    actions.value = [one, ...actions.value].slice(0, 50)
  })
  own.onerror = () => {
    own.close()
    void again()
  }
}

/** The browser does not say why a stream ended: the session tells whether to sign in. */
const again = async (): Promise<void> => {
  const pauseMs = pausesMs[Math.min(failures++, pausesMs.length - 1)]!
  try {
    session.value = await readSession()
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return signIn()
  }
  clearTimeout(retry)
  retry = setTimeout(open, pauseMs * (0.7 + Math.random() * 0.6))
}

export const signIn = (): void => {
  close()
  session.value = null
  if (location.pathname !== '/ui/sign-in')
    go(`/ui/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`, { replace: true })
}

const close = (): void => {
  clearTimeout(retry)
  source?.close()
  source = null
  topics = ''
}

/** Follows these topics from now on. */
export const follow = (wanted: readonly string[]): void => {
  const text = wanted.join(',')
  if (text === topics) return
  topics = text
  open()
}

export const startStream = (): void => {
  let hiding: ReturnType<typeof setTimeout> | undefined
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding)
    if (!document.hidden) {
      if (source === null) open()
      return
    }
    hiding = setTimeout(() => {
      source?.close()
      source = null
    }, hiddenAfterMs)
  })
}
