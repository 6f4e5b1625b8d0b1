import { useEffect, useState } from 'preact/hooks'
import type { OperatorJobView } from '../../src/api/operator/job-view.ts'
import { ask, onceKey, post } from '../api.ts'
import { count, dollars, millis, span } from '../format.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Fact } from '../parts/fact.tsx'
import { JobContent } from '../parts/job-content.tsx'
import { JobWebhook } from '../parts/job-webhook.tsx'
import { Panel } from '../parts/panel.tsx'
import { Sentence } from '../parts/sentence.tsx'
import { Shown } from '../parts/shown.tsx'
import { State } from '../parts/state.tsx'
import { Time } from '../parts/time.tsx'
import { Timeline } from '../parts/timeline.tsx'
import { type Reading, useReading } from '../reading.ts'
import type { ScreenProps } from '../router.ts'
import { freshness, moreTopics, openJob, serverNow, session } from '../store.ts'

/** Why does this job stand, or go there? */
export const Job = ({ name }: ScreenProps) => {
  const reading = useReading<OperatorJobView>(`/v1/jobs/${encodeURIComponent(name)}?view=operator`)
  const told = openJob.value?.id === name ? openJob.value : null
  return <Shown of={reading}>{job => <JobView job={told ?? job} reading={reading} />}</Shown>
}

const JobView = ({ job, reading }: { readonly job: OperatorJobView; readonly reading: Reading<unknown> }) => {
  const [marked, setMarked] = useState<string | null>(null)
  const { steps, waits } = job.explained
  const { created, finished } = job.times_ms
  useHealth(job)
  return (
    <>
      <section class="standing panel" aria-label="State">
        <p>
          <State state={job.status} /> <bdi>{job.model}</bdi>
          {finished !== null && <> after {took(finished - created)}</>}
        </p>
        {waits !== null && (
          <p>
            <strong>Now</strong> <Sentence parts={waits} />
          </p>
        )}
        {job.estimated_completion_at !== null && (
          <p>
            Likely to be answered at <Time at={job.estimated_completion_at} ago />
          </p>
        )}
        <Actions job={job} again={reading.again} />
      </section>
      <Panel title="Timeline" wide>
        <Timeline job={job} marked={marked} />
        {job.moves_cut && <p class="muted">Earlier moves have left the record.</p>}
        <ol class="steps">
          {steps.map(({ at, parts, of }, i) => {
            const mark = of === null ? null : 'attempt' in of ? `attempt ${of.attempt}` : `move ${of.move}`
            return (
              <li key={i} onMouseEnter={() => setMarked(mark)} onMouseLeave={() => setMarked(null)}>
                <Time at={at} /> <Sentence parts={parts} />
                {of !== null && 'attempt' in of && <CallNote call={job.attempts[of.attempt]} />}
              </li>
            )
          })}
        </ol>
      </Panel>
      <Facts job={job} />
      {job.webhook !== null && <JobWebhook webhook={job.webhook} hasEnded={job.finished_at !== null} />}
      <JobContent key={job.id} id={job.id} />
    </>
  )
}

const took = (ms: number): string => (ms < 60_000 ? millis(ms) : span(ms / 1_000))

/** What only operators are told of a call. */
const CallNote = ({ call }: { readonly call: OperatorJobView['attempts'][number] | undefined }) => {
  if (call === undefined) return null
  const { key, claimed_at, started_at } = call
  const notes = [
    ...(claimed_at === undefined ? [] : [`waited ${millis((started_at - claimed_at) * 1_000)} for room`]),
    ...(key === undefined ? [] : [`key ${key}`]),
  ]
  return notes.length === 0 ? null : <span class="muted"> ({notes.join(', ')})</span>
}

/** Behind its timeline stands how its targets were meanwhile. */
const useHealth = ({ provider, attempts, moves = [] }: OperatorJobView): void => {
  const names = [...new Set([provider, ...[...attempts, ...moves].map(event => event.provider)])]
  const topics = names.slice(0, 10).map(name => `provider:${name}`)
  useEffect(() => {
    moreTopics.value = topics
    return () => {
      moreTopics.value = []
    }
  }, [topics.join()])
}

const Actions = ({ job, again }: { readonly job: OperatorJobView; readonly again: () => void }) => {
  const [asks, setAsks] = useState<'cancel' | 'retry' | null>(null)
  // The same for each try: an answer that got lost makes no second job.
  const [key] = useState(onceKey)
  const { id, tenant, status, finished_at, batch_id } = job
  const mayCancel = finished_at === null && batch_id === null
  const mayRetry = finished_at !== null && status !== 'succeeded' && batch_id === null
  if (session.value?.may_act !== true) return <p class="muted">Your key may read only.</p>
  if (!mayCancel && !mayRetry) return null
  if (tenant !== session.value.tenant)
    return (
      <p class="muted">
        Only a key of its tenant, <bdi>{tenant}</bdi>, can {mayCancel ? 'cancel' : 'retry'} it.
      </p>
    )
  const isAway = freshness.value === 'gone'
  return (
    <p class="buttons">
      <button type="button" disabled={isAway} onClick={() => setAsks(mayCancel ? 'cancel' : 'retry')}>
        {mayCancel ? 'Cancel' : 'Retry'}
      </button>
      {asks === 'cancel' && (
        <Confirm
          title="Cancel this job?"
          action="Cancel the job"
          keep="Keep it"
          run={() => post(`/v1/jobs/${id}/cancel`).then(again)}
          done="The job is cancelled."
          onClose={() => setAsks(null)}
        >
          <p>
            It ends without an answer. A call that is under way is dropped, and may be billed all the same.
          </p>
        </Confirm>
      )}
      {asks === 'retry' && (
        <Confirm
          title="Submit it again?"
          action="Submit it again"
          run={() => ask<{ id: string }>('POST', `/v1/jobs/${id}/retry`, {}, { 'idempotency-key': key })}
          done="It was submitted again."
          leadsTo={({ id: next }) => `/ui/jobs/${next}`}
          onClose={() => setAsks(null)}
        >
          <p>
            The same request becomes a job of its own, with a deadline of its own. It may cost as much again.
          </p>
        </Confirm>
      )}
    </p>
  )
}

const Facts = ({ job }: { readonly job: OperatorJobView }) => {
  const { usage, error, metadata } = job
  return (
    <div class="columns">
      <Panel title="Facts">
        <dl class="facts">
          <Fact name="Job">
            <code>{job.id}</code>
          </Fact>
          <Fact name="Tenant">{job.tenant}</Fact>
          <Fact name="Endpoint">{job.endpoint}</Fact>
          {job.batch_id !== null && (
            <Fact name="Batch">
              <a href={`/ui/batches/${job.batch_id}`}>
                <code>{job.batch_id}</code>
              </a>
              {job.line !== null && `, line ${count(job.line)}`}
              {job.custom_id !== null && `, ${job.custom_id}`}
            </Fact>
          )}
          {job.retry_of !== null && (
            <Fact name="Retry of">
              <a href={`/ui/jobs/${job.retry_of}`}>
                <code>{job.retry_of}</code>
              </a>
            </Fact>
          )}
          <Fact name="Created">
            <Time at={job.created_at} />
          </Fact>
          <Fact name="First called">
            <Time at={job.started_at} />
          </Fact>
          <Fact name="Ended">
            <Time at={job.finished_at} />
          </Fact>
          <Fact name="Deadline">
            <Time at={job.expires_at} ago={job.finished_at === null && job.expires_at > serverNow()} />
          </Fact>
        </dl>
      </Panel>
      <Panel title="Cost and metadata">
        <dl class="facts">
          {error !== null && <Fact name="Error">{error.code}</Fact>}
          {job.cache !== undefined && <Fact name="Cache">hit</Fact>}
          <Fact name="Input tokens">{count(usage?.input_tokens)}</Fact>
          <Fact name="from the cache">{count(usage?.cache_read_tokens)}</Fact>
          <Fact name="Output tokens">{count(usage?.output_tokens)}</Fact>
          <Fact name="Cost">{dollars(job.cost_usd)}</Fact>
          {Object.entries(metadata).map(([key, value]) => (
            <Fact key={key} name={key}>
              <a href={`/ui/jobs?${new URLSearchParams({ [`meta.${key}`]: value })}`}>{value}</a>
            </Fact>
          ))}
        </dl>
      </Panel>
    </div>
  )
}
