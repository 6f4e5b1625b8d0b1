import type { OperatorBatchView } from '../../src/api/operator/batch-view.ts'
import { count } from '../format.ts'
import { BatchActions } from '../parts/batch-actions.tsx'
import { batchState, Cost, failedOf, Progress, Slack } from '../parts/batch-columns.tsx'
import { BatchFailures } from '../parts/batch-failures.tsx'
import { Fact } from '../parts/fact.tsx'
import { asked } from '../parts/filter-bar.tsx'
import { Figures, Panel } from '../parts/panel.tsx'
import { Resume } from '../parts/provider-actions.tsx'
import { Shown } from '../parts/shown.tsx'
import { State } from '../parts/state.tsx'
import { Table } from '../parts/table.tsx'
import { Time } from '../parts/time.tsx'
import { liveMs, useReading } from '../reading.ts'
import { hrefWith, type ScreenProps } from '../router.ts'
import { jobRows, openBatch, session } from '../store.ts'
import { withQuery } from '../with-query.ts'
import { type JobPage, jobColumns, useRows } from './jobs.tsx'

/** How far is a batch, and what holds it up? */
export const Batch = ({ name }: ScreenProps) => {
  const reading = useReading<OperatorBatchView>(`/v1/admin/batches/${encodeURIComponent(name)}`)
  const told = openBatch.value?.id === name ? openBatch.value : null
  return <Shown of={reading}>{batch => <BatchView batch={told ?? batch} again={reading.again} />}</Shown>
}

const BatchView = ({ batch, again }: { readonly batch: OperatorBatchView; readonly again: () => void }) => (
  <>
    <section class="standing panel" aria-label="State">
      <p>
        <State state={batchState(batch)} /> <Progress batch={batch} />
      </p>
      {batch.blocked !== null && <Blocked blocked={batch.blocked} />}
      <BatchActions batch={batch} again={again} />
    </section>
    <Figures
      of={[
        ['Succeeded', count(batch.succeeded)],
        ['Failed', count(batch.errored)],
        ['Cancelled', count(batch.canceled)],
        ['Expired', count(batch.expired)],
        ['Running', count(batch.running)],
        ['Waiting', count(batch.waiting)],
        ['Parked', count(batch.parked)],
        ['Cost', <Cost key="cost" batch={batch} />],
      ]}
    />
    {batch.faults.length > 0 && <Faults batch={batch} />}
    <div class="columns">
      <BatchFacts batch={batch} />
      <AnsweredBy batch={batch} />
    </div>
    {failedOf(batch) > 0 && <BatchFailures id={batch.id} />}
    {batch.ended_at === null && <Lines batch={batch} />}
  </>
)

const Blocked = ({ blocked }: { readonly blocked: NonNullable<OperatorBatchView['blocked']> }) => {
  const { reason, since, subject } = blocked
  const [provider = ''] = subject?.split('/', 1) ?? []
  return (
    <div class="banner">
      <p>
        Blocked since <Time at={since} ago /> by{' '}
        <a href={`/ui/providers/${encodeURIComponent(provider)}`}>
          <bdi>{subject}</bdi>
        </a>{' '}
        ({reason.replaceAll('_', ' ')}). Its lines wait; mend what is wrong there, and then:
      </p>
      {session.value?.may_act === true && <Resume verb="Try again now" name={provider} />}
    </div>
  )
}

const Faults = ({ batch: { faults } }: { readonly batch: OperatorBatchView }) => (
  <Table
    title="Faults of its file"
    rows={faults}
    empty=""
    columns={[
      { head: 'Line', cell: ({ line }) => (line === null ? '' : count(line)) },
      { head: 'Code', cell: ({ code }) => code },
      { head: 'Message', cell: ({ message }) => <bdi>{message}</bdi> },
    ]}
  />
)

const BatchFacts = ({ batch }: { readonly batch: OperatorBatchView }) => (
  <Panel title="Facts">
    <dl class="facts">
      <Fact name="Tenant">{batch.tenant}</Fact>
      <Fact name="Endpoint">{batch.endpoint}</Fact>
      <Fact name="Model">{batch.model ?? 'several'}</Fact>
      <Fact name="Created">
        <Time at={batch.created_at} />
      </Fact>
      <Fact name="Likely done">
        <Time at={batch.estimated_completion_at} />
      </Fact>
      <Fact name="Deadline">
        <Slack batch={batch} />
      </Fact>
      <Fact name="Ended">
        <Time at={batch.ended_at} />
      </Fact>
      {batch.retry_of !== null && (
        <Fact name="Retry of">
          <a href={`/ui/batches/${batch.retry_of}`}>
            <code>{batch.retry_of}</code>
          </a>
        </Fact>
      )}
      {batch.webhook !== null && (
        <Fact name="Webhook">
          {batch.webhook.status} after {count(batch.webhook.attempts)}
        </Fact>
      )}
      {Object.entries(batch.metadata).map(([key, value]) => (
        <Fact key={key} name={key}>
          {value}
        </Fact>
      ))}
    </dl>
  </Panel>
)

const AnsweredBy = ({ batch: { providers } }: { readonly batch: OperatorBatchView }) => (
  <Panel title="Answered by">
    {Object.keys(providers).length === 0 ? (
      <p class="muted">No line was answered yet.</p>
    ) : (
      <dl class="facts">
        {Object.entries(providers).map(([name, lines]) => (
          <Fact key={name} name={name}>
            {count(lines)}
          </Fact>
        ))}
      </dl>
    )}
  </Panel>
)

const lineStates = ['running', 'queued', 'parked'] as const

/** Lines that have ended are in the files of the batch, and no jobs any more. */
const Lines = ({ batch: { id } }: { readonly batch: OperatorBatchView }) => {
  const state = asked('state')
  const path = withQuery('/v1/jobs', {
    ...{ view: 'row', limit: '50', tenant: '*', batch: id },
    ...{ status: state, cursor: asked('cursor') },
  })
  const reading = useReading<JobPage>(path, liveMs)
  return <Shown of={reading}>{page => <LineTable page={page} state={state} />}</Shown>
}

const LineTable = ({
  page: { data, next_cursor, collected = 0 },
  state,
}: {
  readonly page: JobPage
  readonly state: string
}) => {
  useRows(data)
  return (
    <Table
      title="Lines that have not ended"
      rows={data.map(row => jobRows.value.get(row.id) ?? row)}
      keyOf={row => row.id}
      columns={jobColumns}
      empty="None of them is a job right now."
    >
      {collected > 0 && (
        <p class="muted">{count(collected)} more have ended and stand in the files of the batch.</p>
      )}
      <p class="buttons">
        {['', ...lineStates].map(each => (
          <a
            key={each}
            class="button"
            href={hrefWith({ state: each, cursor: null })}
            aria-current={state === each ? 'true' : undefined}
          >
            {each || 'all'}
          </a>
        ))}
        {next_cursor !== null && (
          <a class="button" href={hrefWith({ cursor: next_cursor })}>
            More
          </a>
        )}
      </p>
    </Table>
  )
}
