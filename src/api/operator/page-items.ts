import type { Trouble } from '../../health/troubles.ts'
import { writeJson } from '../../json/json-text.ts'
import type { OperatorRead } from './operator-reads.ts'
import type { PageTopics } from './page-topics.ts'
import type { ActionView, PageEvents } from './views.ts'

type EventName = keyof PageEvents

/** Something that pages are told, and again when it is another. Written out once for all of them. */
export interface PageItem {
  readonly event: Exclude<EventName, 'hello' | 'snapshot'>
  /** What it is about: a page knows the newest of each name. */
  readonly name: string
  /** What is compared: it leaves out what changes with every look. */
  readonly text: string
  readonly json: string
  readonly concerns: (topics: PageTopics) => boolean
}

export const eventOf = (name: EventName, json: string): string => `event: ${name}\ndata: ${json}\n\n`

const everyPage = (): boolean => true

export const itemOf = (
  event: PageItem['event'],
  name: string,
  data: unknown,
  concerns: PageItem['concerns'] = everyPage,
): PageItem => {
  const json = writeJson(data)
  return { event, name, text: json, json, concerns }
}

export const troublesItem = (troubles: readonly Trouble[]): PageItem =>
  itemOf('troubles', 'troubles', troubles)

const tickItem = ({ troubles, actions, ...tick }: OperatorRead['overview']): PageItem => {
  const { read_at, ...figures } = tick
  return { ...itemOf('tick', 'tick', tick), text: writeJson(figures) }
}

const actionItem = (action: ActionView): PageItem => {
  const item = itemOf('action', '', action)
  return { ...item, name: `action ${item.text}` }
}

/** A list of all providers has their figures by the ticks; a page of one shows its workers as well. */
const providerItems = (view: OperatorRead['providers'][number]): PageItem[] => {
  const { name } = view
  const { workers, workers_wanted, queue, rates, p95_ms, estimated_drain_at, limits, ...standing } = view
  const ofOne = itemOf('provider', `provider ${name}`, view, topics => topics.providers.has(name))
  return [
    ofOne,
    {
      ...ofOne,
      name: `standing ${name}`,
      text: writeJson(standing),
      concerns: topics => topics.hasProviders && !topics.providers.has(name),
    },
  ]
}

/** What every process reads for all pages together, the oldest action first. */
export const commonItems = ({ overview, providers }: OperatorRead): PageItem[] => [
  tickItem(overview),
  troublesItem(overview.troubles),
  ...overview.actions.toReversed().map(actionItem),
  ...providers.flatMap(providerItems),
]

/** Those of which a page follows many at a time. They go out together, as an array. */
export const isListed = (event: PageItem['event']): boolean => event === 'batches' || event === 'rows'

/** What a page begins with: its topics whole. */
export const snapshotJson = (
  { overview }: OperatorRead,
  items: readonly PageItem[],
  topics: PageTopics,
): string => {
  const of = (event: PageItem['event']): string[] =>
    items.filter(item => item.event === event && item.concerns(topics)).map(({ json }) => json)
  const list = (event: PageItem['event']): string => `[${of(event).join(',')}]`
  const parts: Readonly<Record<keyof PageEvents['snapshot'], string | false>> = {
    overview: topics.hasOverview && writeJson(overview),
    providers: (topics.hasProviders || topics.providers.size > 0) && list('provider'),
    batches: topics.hasBatches && list('batches'),
    batch: topics.batch !== null && (of('batch')[0] ?? 'null'),
    job: topics.job !== null && (of('job')[0] ?? 'null'),
    rows: topics.rows.size > 0 && list('rows'),
    webhooks: topics.hasWebhooks && (of('webhooks')[0] ?? 'null'),
  }
  const shown = Object.entries(parts).filter(([, json]) => json !== false)
  return `{${shown.map(([name, json]) => `"${name}":${json}`).join(',')}}`
}
