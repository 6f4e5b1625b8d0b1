import { computed, signal } from '@preact/signals'
import type { BatchRow, OperatorBatchView } from '../src/api/operator/batch-view.ts'
import type { JobRow, OperatorJobView } from '../src/api/operator/job-view.ts'
import type { ProviderView } from '../src/api/operator/provider-view.ts'
import type { ReceiversView } from '../src/api/operator/receiver-view.ts'
import type { ActionView, OverviewView, SessionView, Tick, Trouble } from '../src/api/operator/views.ts'

/** What the page knows. The stream writes it; screens read it. */
export const session = signal<SessionView | null>(null)
export const overview = signal<OverviewView | null>(null)
export const tick = signal<Tick | null>(null)
export const troubles = signal<readonly Trouble[] | null>(null)
export const providers = signal<readonly ProviderView[] | null>(null)
export const actions = signal<readonly ActionView[]>([])

/** The job and the batch that are open; null before the stream has told of them. */
export const openJob = signal<OperatorJobView | null>(null)
export const openBatch = signal<OperatorBatchView | null>(null)
/** Rows of lists as the stream told them last, by their ids. */
export const jobRows = signal<ReadonlyMap<string, JobRow>>(new Map())
export const batchRows = signal<ReadonlyMap<string, BatchRow>>(new Map())
/** Receivers of webhooks; null where nobody looks. */
export const receivers = signal<ReceiversView | null>(null)
/** What a screen wants to hear of beside its own topics, such as the rows that it shows. */
export const moreTopics = signal<readonly string[]>([])

/** When the stream last said something, by this browser's clock in ms. */
export const heardAt = signal(0)
/** How far the server's clock is ahead of this one, in s. */
export const serverAhead = signal(0)
/** Of a server that has been renewed since the page was loaded. */
export const newerVersion = signal<string | null>(null)
/** Counts the times that a person wanted all to be read anew. */
export const refreshed = signal(0)
/** Whether times are shown in UTC, whatever the zone of the page. */
export const showsUtc = signal(false)
/** A second's pulse, for whatever counts up or down. */
export const second = signal(Date.now())
setInterval(() => {
  second.value = Date.now()
}, 1_000)

/** Unix seconds by the server's clock. */
export const serverNow = (): number => second.value / 1_000 + serverAhead.value

/** The minute that this is in, for what need not move each second. */
export const serverMinute = computed(() => Math.floor(serverNow() / 60) * 60)

const staleMs = 7_000
const goneMs = 15_000
export const freshness = computed((): 'loading' | 'live' | 'stale' | 'gone' => {
  if (heardAt.value === 0) return 'loading'
  const age = second.value - heardAt.value
  return age >= goneMs ? 'gone' : age >= staleMs ? 'stale' : 'live'
})

export const learnProvider = (view: ProviderView): void => {
  const known = providers.value ?? []
  providers.value = known.some(({ name }) => name === view.name)
    ? known.map(each => (each.name === view.name ? view : each))
    : [...known, view]
}
