import type { BatchFailuresView } from '../../src/api/operator/batch-view.ts'
import { count } from '../format.ts'
import { useReading } from '../reading.ts'
import { hrefWith } from '../router.ts'
import { withQuery } from '../with-query.ts'
import { asked } from './filter-bar.tsx'
import { Shown } from './shown.tsx'
import { Table } from './table.tsx'

/** What failed of a batch, by code, and line by line. Messages are left out: they may quote the request. */
export const BatchFailures = ({ id }: { readonly id: string }) => {
  const code = asked('code')
  const path = `/v1/admin/batches/${id}/failures`
  const all = useReading<BatchFailuresView>(withQuery(path, { limit: '1' }))
  const lines = useReading<BatchFailuresView>(
    withQuery(path, { limit: '50', code, cursor: asked('failed_after') }),
  )
  return (
    <>
      <Shown of={all}>
        {({ codes, complete }) => (
          <Table
            title="Failures by code"
            rows={codes}
            keyOf={row => row.code}
            empty="None is written to its files yet."
            columns={[
              {
                head: 'Code',
                cell: row => <a href={hrefWith({ code: row.code, failed_after: null })}>{row.code}</a>,
              },
              { head: 'Lines', isNumber: true, cell: row => count(row.count) + (complete ? '' : ' or more') },
              { head: 'Such as', cell: ({ example }) => <bdi>{example.custom_id}</bdi> },
            ]}
          />
        )}
      </Shown>
      <Shown of={lines}>
        {({ data, next_cursor }) => (
          <Table
            title={code === '' ? 'Failed lines' : `Failed lines, ${code}`}
            rows={data}
            empty="No line failed like this."
            columns={[
              { head: 'custom_id', cell: ({ custom_id }) => <bdi>{custom_id}</bdi> },
              { head: 'Line', isNumber: true, cell: ({ line }) => count(line) },
              { head: 'Status', cell: ({ status_code }) => status_code ?? '—' },
              { head: 'Code', cell: row => row.code ?? '—' },
              { head: 'Provider', cell: ({ provider }) => provider ?? '—' },
            ]}
          >
            <p class="buttons">
              {code !== '' && (
                <a class="button" href={hrefWith({ code: null, failed_after: null })}>
                  All codes
                </a>
              )}
              {next_cursor !== null && (
                <a class="button" href={hrefWith({ failed_after: next_cursor })}>
                  More
                </a>
              )}
            </p>
          </Table>
        )}
      </Shown>
    </>
  )
}
