import { useState } from 'preact/hooks'
import type { ReceiversView } from '../../src/api/operator/receiver-view.ts'
import { post } from '../api.ts'
import { count } from '../format.ts'
import { Confirm } from '../parts/confirm.tsx'
import { asked } from '../parts/filter-bar.tsx'
import { Receivers } from '../parts/receivers.tsx'
import { Shown } from '../parts/shown.tsx'
import { Table } from '../parts/table.tsx'
import { Time } from '../parts/time.tsx'
import { liveMs, useReading } from '../reading.ts'
import { hrefWith } from '../router.ts'
import { freshness, session } from '../store.ts'
import { withQuery } from '../with-query.ts'

interface Letter {
  readonly id: string
  readonly job_id?: string
  readonly batch_id?: string
  readonly event?: string
  readonly tenant: string
  readonly died_at: number
  readonly webhook: { readonly url: string }
  readonly attempts: number
  readonly reason: string | null
}

interface LetterPage {
  readonly data: readonly Letter[]
  readonly next_cursor: string | null
}

/** The receiver alone: what else stands in the address may be a secret. */
const receiverOf = (url: string): string => URL.parse(url)?.origin ?? '—'

/** Which receivers were not told, and why? */
export const Webhooks = () => {
  const receiver = asked('receiver')
  const all = useReading<ReceiversView>('/v1/admin/webhooks')
  const path = withQuery('/v1/dead-letters', { limit: '50', tenant: '*', receiver, after: asked('cursor') })
  const reading = useReading<LetterPage>(path, liveMs)
  return (
    <>
      <Shown of={all}>{view => <Receivers view={view} again={reading.again} />}</Shown>
      {receiver !== '' && (
        <p>
          Those of <bdi>{receiver}</bdi> alone. <a href="/ui/webhooks">Show all</a>
        </p>
      )}
      <Shown of={reading}>
        {({ data, next_cursor }) => (
          <Table
            title="Dead letters"
            rows={data}
            keyOf={({ id }) => id}
            empty="No webhook was given up."
            columns={[
              { head: 'Died', cell: ({ died_at }) => <Time at={died_at} /> },
              { head: 'Job or batch', cell: letter => <Subject letter={letter} /> },
              { head: 'Tenant', cell: ({ tenant }) => <bdi>{tenant}</bdi> },
              { head: 'Receiver', cell: ({ webhook }) => <bdi>{receiverOf(webhook.url)}</bdi> },
              { head: 'Tries', isNumber: true, cell: ({ attempts }) => count(attempts) },
              { head: 'Reason', cell: ({ reason }) => reason },
              { head: 'Replay', cell: letter => <Replay letter={letter} again={reading.again} /> },
            ]}
          >
            {next_cursor !== null && (
              <p class="buttons">
                <a class="button" href={hrefWith({ cursor: next_cursor })}>
                  More
                </a>
              </p>
            )}
          </Table>
        )}
      </Shown>
    </>
  )
}

const Subject = ({ letter: { job_id, batch_id, event } }: { readonly letter: Letter }) => (
  <>
    <a href={job_id === undefined ? `/ui/batches/${batch_id}` : `/ui/jobs/${job_id}`}>
      <code>{job_id ?? batch_id}</code>
    </a>
    {event !== undefined && ` (${event})`}
  </>
)

const Replay = ({
  letter: { id, webhook },
  again,
}: {
  readonly letter: Letter
  readonly again: () => void
}) => {
  const [asks, setAsks] = useState(false)
  if (session.value?.may_act !== true) return <>—</>
  return (
    <>
      <button type="button" disabled={freshness.value === 'gone'} onClick={() => setAsks(true)}>
        Replay
      </button>
      {asks && (
        <Confirm
          title="Tell its receiver again?"
          action="Send it again"
          run={async () => {
            await post(`/v1/dead-letters/${id}/redeliver`)
            again()
          }}
          done="It is sent again."
          onClose={() => setAsks(false)}
        >
          <p>
            <bdi>{receiverOf(webhook.url)}</bdi> gets it with the same id as before, and may have taken it
            then.
          </p>
        </Confirm>
      )}
    </>
  )
}
