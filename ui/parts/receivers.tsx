import { useState } from 'preact/hooks'
import type { ReceiversView, ReceiverView, ReplayView } from '../../src/api/operator/receiver-view.ts'
import { post } from '../api.ts'
import { count } from '../format.ts'
import { freshness, receivers, session } from '../store.ts'
import { announce } from './announce.tsx'
import { Confirm } from './confirm.tsx'
import { Table } from './table.tsx'
import { Time } from './time.tsx'

/** Receivers of webhooks, of all tenants: whom nothing reaches, and since when. */
export const Receivers = ({ view, again }: { readonly view: ReceiversView; readonly again: () => void }) => {
  // The stream shares what it read up to five seconds ago.
  const told = receivers.value
  const { data, complete } = told !== null && told.read_at > view.read_at ? told : view
  const least = complete ? '' : ' or more'
  return (
    <Table<ReceiverView>
      title="Receivers"
      rows={data}
      keyOf={({ receiver }) => receiver}
      empty="Nothing was sent to a receiver of late, nothing waits for one, and nothing was given up."
      columns={[
        {
          ...{ head: 'Receiver', isName: true, by: ({ receiver }) => receiver },
          cell: ({ receiver }) => (
            <a href={`/ui/webhooks?${new URLSearchParams({ receiver })}`}>
              <bdi>{receiver}</bdi>
            </a>
          ),
        },
        {
          ...{ head: 'Taken in an hour', isNumber: true, by: ({ delivered }) => delivered },
          cell: ({ delivered }) => count(delivered),
        },
        {
          ...{ head: 'Failed in an hour', isNumber: true, by: ({ failed }) => failed },
          cell: ({ failed }) => count(failed),
        },
        {
          ...{ head: 'Waiting', isNumber: true, by: ({ waiting }) => waiting },
          cell: ({ waiting }) => count(waiting) + least,
        },
        {
          head: 'Oldest',
          by: ({ oldest_at }) => oldest_at,
          cell: ({ oldest_at }) => <Time at={oldest_at} />,
        },
        {
          ...{ head: 'Failing since', by: ({ failing_since }) => failing_since },
          cell: ({ failing_since }) => <Time at={failing_since} />,
        },
        { head: 'Next try', cell: ({ next_at }) => <Time at={next_at} /> },
        {
          ...{ head: 'Given up', isNumber: true, by: ({ dead }) => dead },
          cell: ({ dead }) => count(dead) + least,
        },
        { head: 'Last reason', cell: ({ last_reason }) => <span class="whole">{last_reason}</span> },
        { head: 'Replay', cell: row => row.dead > 0 && <ReplayAll row={row} again={again} /> },
      ]}
    />
  )
}

/** All that a receiver was not told of, in steps; nothing is sent where the number is another by now. */
const ReplayAll = ({ row, again }: { readonly row: ReceiverView; readonly again: () => void }) => {
  const { receiver } = row
  // The number that is confirmed is that which was shown when the question was asked.
  const [dead, setDead] = useState<number | null>(null)
  if (session.value?.may_act !== true) return null
  const run = async (): Promise<void> => {
    let sent = 0
    let cursor: string | null = null
    do {
      const step: ReplayView = await post<ReplayView>('/v1/dead-letters/redeliver', {
        receiver,
        // The first step counts up to now, by the clock of the server; the next ones go back from there.
        ...(cursor === null ? { expected_count: dead } : { cursor }),
      })
      sent += step.redelivered
      cursor = step.next_cursor
      if (cursor !== null) announce(`${count(sent)} of ${count(dead)} are sent again.`)
    } while (cursor !== null)
    again()
  }
  return (
    <>
      <button type="button" disabled={freshness.value === 'gone'} onClick={() => setDead(row.dead)}>
        Replay all
      </button>
      {dead !== null && (
        <Confirm
          title={`Send ${count(dead)} again?`}
          action="Send them again"
          run={run}
          done={`What ${receiver} was not told of is sent again.`}
          onClose={() => setDead(null)}
        >
          <p>
            <bdi>{receiver}</bdi> gets each with the same id as before, and may have taken some of them then.
            Nothing is sent if there are more or fewer by now.
          </p>
        </Confirm>
      )}
    </>
  )
}
