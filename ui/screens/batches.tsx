import type { BatchRow } from '../../src/api/operator/batch-view.ts'
import { batchColumns } from '../parts/batch-columns.tsx'
import { asked, Choice, FilterBar } from '../parts/filter-bar.tsx'
import { Shown } from '../parts/shown.tsx'
import { Table } from '../parts/table.tsx'
import { liveMs, useReading } from '../reading.ts'
import { hrefWith } from '../router.ts'
import { useSteady } from '../steady.tsx'
import { batchRows, session } from '../store.ts'
import { withQuery } from '../with-query.ts'

interface BatchPage {
  readonly data: readonly BatchRow[]
  readonly next_cursor: string | null
}

const statuses = [
  ['all', 'all, newest first'],
  ['ended', 'ended'],
  ...['validating', 'in_progress', 'finalizing', 'cancelling', 'completed', 'failed', 'expired', 'cancelled'],
] as const

/** What the API is asked for: what has not ended, most urgent first, unless the address says otherwise. */
const listPath = (): string => {
  const status = asked('status')
  return withQuery('/v1/admin/batches', {
    ...{ limit: '100', tenant: asked('tenant'), dialect: asked('dialect'), blocked: asked('blocked') },
    ...(status === '' ? { status: 'open', sort: 'slack' } : status !== 'all' && { status }),
    cursor: asked('cursor'),
  })
}

/** What will be late, or is held up? */
export const Batches = () => {
  const path = listPath()
  const reading = useReading<BatchPage>(path, liveMs)
  return (
    <>
      <FilterBar>
        <Choice name="status" label="Status" all="not ended" of={statuses} />
        <Choice name="blocked" label="Held up" of={[['true', 'blocked only']]} />
        <Choice name="dialect" label="Kind" of={['openai', 'anthropic']} />
        <Choice name="tenant" label="Tenant" of={session.value?.facets.tenants ?? []} />
      </FilterBar>
      {session.value?.may_act === true && (
        <p>
          <a class="button" href="/ui/batches/new">
            New batch
          </a>
        </p>
      )}
      <Shown of={reading}>{page => <BatchList key={path} page={page} />}</Shown>
    </>
  )
}

const BatchList = ({ page: { data, next_cursor } }: { readonly page: BatchPage }) => {
  const news = batchRows.value
  const { rows, hold } = useSteady(
    data.map(row => news.get(row.id) ?? row),
    ({ id }) => id,
  )
  return (
    <div {...hold}>
      <Table
        title="Batches"
        rows={rows}
        columns={batchColumns}
        keyOf={({ id }) => id}
        empty={asked('status') === '' ? 'No batch is under way.' : 'No batch matches.'}
      >
        <p class="buttons">
          {asked('status') === '' && (
            <a class="button" href={hrefWith({ status: 'all' })}>
              All batches
            </a>
          )}
          {next_cursor !== null && (
            <a class="button" href={hrefWith({ cursor: next_cursor })}>
              More
            </a>
          )}
        </p>
      </Table>
    </div>
  )
}
