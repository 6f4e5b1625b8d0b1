import type { UsageFigures, UsageView } from '../../src/api/operator/usage-view.ts'
import { count, dollars, percent, zone } from '../format.ts'
import { Bar } from '../parts/bar.tsx'
import { asked, Choice, Day, FilterBar } from '../parts/filter-bar.tsx'
import { Figures, Panel } from '../parts/panel.tsx'
import { Shown } from '../parts/shown.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { useReading } from '../reading.ts'
import { hrefWith } from '../router.ts'
import { serverNow } from '../store.ts'
import { usageCsv } from '../usage-csv.ts'
import { withQuery } from '../with-query.ts'
import { dayOf, fromField } from '../zone.ts'

type UsageRow = UsageView['data'][number]

/** Today's figures move, and no faster than anybody reads them. */
const todayRefreshMs = 60_000

interface Days {
  readonly first: string
  /** That day belongs to it. */
  readonly last: string
}

const presets = (today: string, now: number): readonly (readonly [string, Days])[] => [
  ['Today', { first: today, last: today }],
  ['Yesterday', { first: dayOf(now, -1), last: dayOf(now, -1) }],
  ['7 days', { first: dayOf(now, -6), last: today }],
  ['30 days', { first: dayOf(now, -29), last: today }],
]

const groups = [
  ['route', 'Route'],
  ['provider', 'Provider'],
  ['model', 'Model'],
  ['day', 'Day'],
] as const

/** What did it cost? Of yesterday, by route, unless the address says otherwise. */
export const Costs = () => {
  const now = serverNow()
  const today = dayOf(now)
  const first = asked('from') || dayOf(now, -1)
  const last = asked('to') || (asked('from') ? today : first)
  const by = asked('by') || 'route'
  const [from, end] = [fromField(first), fromField(last)]
  const path =
    from === null || end === null
      ? null
      : withQuery('/v1/usage', {
          ...{ from: String(from), group_by: by, tz: zone() },
          // Up to the last hour of that day, also where a day has 23 or 25 of them.
          to: String(fromField(dayOf(end + 43_200, 1))! - 1),
        })
  const reading = useReading<UsageView>(path, last >= today ? todayRefreshMs : 0)
  return (
    <>
      <p class="buttons">
        {presets(today, now).map(([word, days]) => (
          <a
            key={word}
            class="button"
            href={withQuery('/ui/costs', { from: days.first, to: days.last, by: asked('by') })}
            aria-current={days.first === first && days.last === last ? 'true' : undefined}
          >
            {word}
          </a>
        ))}
      </p>
      <FilterBar>
        <Choice name="by" label="By" all="Route" of={groups.slice(1)} />
        <Day name="from" label={`From, ${zone()}`} value={first} />
        <Day name="to" label={`up to, ${zone()}`} value={last} />
      </FilterBar>
      {path === null ? (
        <p>These are no dates.</p>
      ) : (
        <Shown of={reading}>{usage => <Usage usage={usage} by={by} days={{ first, last }} />}</Shown>
      )}
    </>
  )
}

const Usage = ({
  usage,
  by,
  days: { first, last },
}: {
  readonly usage: UsageView
  readonly by: string
  readonly days: Days
}) => {
  const { total, data, cut_at } = usage
  const isOneDay = first === last
  const rows = data.toSorted((a, b) =>
    a.day === b.day ? (b.cost_usd ?? 0) - (a.cost_usd ?? 0) : a.day < b.day ? 1 : -1,
  )
  const byDay = isOneDay || by === 'day' ? [] : sumByDay(data)
  return (
    <>
      {cut_at === 'utc_hour' && (
        <p class="banner">{zone()} is not whole hours from UTC: days are cut at the next hour of UTC.</p>
      )}
      <Figures
        of={[
          ['Cost', dollars(total.cost_usd)],
          ['Unpriced', count(total.unpriced)],
          ['Requests', count(total.requests)],
          ['Failed', count(total.failed)],
          ['Input tokens', count(total.input_tokens)],
          ['from caches', count(total.cached_tokens)],
          ['Output tokens', count(total.output_tokens)],
        ]}
      />
      {byDay.length > 1 && (
        <Panel title="Cost by day" wide>
          <dl class="bars">
            {byDay.map(({ day, cost }) => (
              <div key={day}>
                <dt>{day}</dt>
                <dd>
                  <Bar share={cost / Math.max(...byDay.map(each => each.cost), 1e-9)} /> {dollars(cost)}
                </dd>
              </div>
            ))}
          </dl>
        </Panel>
      )}
      <Table
        title={`${isOneDay ? first : `${first} to ${last}`} (${zone()}), by ${by}`}
        name="costs"
        rows={rows}
        columns={columnsOf(by, isOneDay, total)}
        keyOf={({ day, group }) => `${day} ${group}`}
        empty="Nothing was asked of any provider in that time."
      >
        {rows.length > 0 && (
          <p class="buttons">
            <button
              type="button"
              onClick={() => download(`baton-costs-${first}-${last}.csv`, usageCsv(rows))}
            >
              Download as CSV
            </button>
          </p>
        )}
      </Table>
    </>
  )
}

const sumByDay = (rows: readonly UsageRow[]): readonly { readonly day: string; readonly cost: number }[] => {
  const costs = new Map<string, number>()
  for (const { day, cost_usd } of rows) costs.set(day, (costs.get(day) ?? 0) + (cost_usd ?? 0))
  return [...costs].map(([day, cost]) => ({ day, cost }))
}

const columnsOf = (by: string, isOneDay: boolean, total: UsageFigures): readonly Column<UsageRow>[] => {
  const day: Column<UsageRow> = {
    ...{ head: 'Day', by: row => row.day },
    cell: row => <a href={hrefWith({ from: row.day, to: row.day })}>{row.day}</a>,
  }
  return [
    ...(isOneDay || by === 'day' ? [] : [day]),
    {
      ...{ head: groups.find(([value]) => value === by)?.[1] ?? by, by: ({ group }) => group },
      cell: ({ group }) => <bdi>{group}</bdi>,
    },
    {
      ...{ head: 'Cost', isNumber: true, by: ({ cost_usd }) => cost_usd },
      cell: ({ cost_usd, unpriced }) => dollars(cost_usd, unpriced),
    },
    {
      head: 'Share',
      cell: ({ cost_usd }) => {
        const share = cost_usd === null || !total.cost_usd ? null : cost_usd / total.cost_usd
        return (
          <span class="progress">
            <Bar share={share ?? 0} /> {percent(share)}
          </span>
        )
      },
    },
    ...(
      [
        ['Requests', 'requests'],
        ['Failed', 'failed'],
        ['Input', 'input_tokens'],
        ['Cached', 'cached_tokens'],
        ['Output', 'output_tokens'],
      ] as const
    ).map(
      ([head, figure]): Column<UsageRow> => ({
        ...{ head, isNumber: true, by: row => row[figure] },
        cell: row => count(row[figure]),
      }),
    ),
  ]
}

const download = (name: string, text: string): void => {
  const href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }))
  const link = Object.assign(document.createElement('a'), { href, download: name })
  link.click()
  URL.revokeObjectURL(href)
}
