import { useState } from 'preact/hooks'
import type { OperatorBatchView } from '../../src/api/operator/batch-view.ts'
import { ask, onceKey, post } from '../api.ts'
import { count } from '../format.ts'
import { freshness, session } from '../store.ts'
import { failedOf } from './batch-columns.tsx'
import { Confirm } from './confirm.tsx'

const pathOf = ({ id, dialect }: OperatorBatchView): string =>
  dialect === 'openai' ? `/v1/batches/${id}` : `/v1/messages/batches/${id}`

interface ActionProps {
  readonly batch: OperatorBatchView
  readonly again: () => void
}

/** What can be done about a batch: read what came, cancel it, or ask again for what failed. */
export const BatchActions = ({ batch, again }: ActionProps) => {
  if (session.value === null) return null
  const { tenant, may_act } = session.value
  if (batch.tenant !== tenant)
    return (
      <p class="muted">
        Only a key of its tenant, <bdi>{batch.tenant}</bdi>, can read, cancel or retry it.
      </p>
    )
  return (
    <div class="buttons">
      <Downloads batch={batch} />
      {may_act && batch.ended_at === null && <Cancel batch={batch} again={again} />}
      {may_act && batch.ended_at !== null && failedOf(batch) > 0 && <Retry batch={batch} />}
    </div>
  )
}

const Downloads = ({ batch }: { readonly batch: OperatorBatchView }) => {
  if (session.value?.may_read_content !== true)
    return <span class="muted">Its files are hidden by `ui.show_content`.</span>
  return (
    <>
      {batch.succeeded > 0 && (
        <a class="button" download href={`${pathOf(batch)}/content?file=output`}>
          Download answers
        </a>
      )}
      {failedOf(batch) > 0 && (
        <a class="button" download href={`${pathOf(batch)}/content?file=errors`}>
          Download errors
        </a>
      )}
    </>
  )
}

const Cancel = ({ batch, again }: ActionProps) => {
  const [asks, setAsks] = useState(false)
  const { total, succeeded } = batch
  const open = total === null ? null : total - succeeded - failedOf(batch)
  return (
    <>
      <button
        type="button"
        disabled={freshness.value === 'gone' || batch.status === 'cancelling'}
        onClick={() => setAsks(true)}
      >
        Cancel
      </button>
      {asks && (
        <Confirm
          title="Cancel this batch?"
          action="Cancel the batch"
          keep="Keep running"
          run={() => post(`${pathOf(batch)}/cancel`).then(again)}
          done="The batch is being cancelled."
          onClose={() => setAsks(false)}
        >
          <p>{count(open)} unfinished lines end. What was answered stays.</p>
        </Confirm>
      )}
    </>
  )
}

const Retry = ({ batch }: { readonly batch: OperatorBatchView }) => {
  const [asks, setAsks] = useState(false)
  const [window, setWindow] = useState('')
  const [limit, setLimit] = useState('')
  // The same for each try of one dialog: an answer that got lost makes no second batch.
  const [key] = useState(onceKey)
  const { succeeded, cost_usd } = batch
  const estimate = cost_usd === null || succeeded === 0 ? null : (cost_usd / succeeded) * failedOf(batch)
  const run = (): Promise<{ id: string }> => {
    const body = {
      ...(window !== '' && { completion_window: window }),
      ...(limit !== '' && { max_cost_usd: Number(limit) }),
    }
    return ask('POST', `${pathOf(batch)}/retry`, body, { 'idempotency-key': key })
  }
  return (
    <>
      <button type="button" disabled={freshness.value === 'gone'} onClick={() => setAsks(true)}>
        Retry failed
      </button>
      {asks && (
        <Confirm
          title={`Ask again for ${count(failedOf(batch))} lines?`}
          action="Retry them"
          run={run}
          done="A batch of them was made."
          leadsTo={({ id }) => `/ui/batches/${id}`}
          onClose={() => setAsks(false)}
        >
          <p>
            They become a batch of their own
            {estimate !== null && `, for about $${estimate.toFixed(2)} by what the others cost`}.
          </p>
          <label>
            Window, as 24h (that of the first where empty)
            <input value={window} onInput={event => setWindow(event.currentTarget.value)} />
          </label>
          <label>
            Limit of its cost in dollars
            <input inputMode="decimal" value={limit} onInput={event => setLimit(event.currentTarget.value)} />
          </label>
        </Confirm>
      )}
    </>
  )
}
