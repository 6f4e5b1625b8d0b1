import { useState } from 'preact/hooks'
import type { ProviderView } from '../../src/api/operator/provider-view.ts'
import { post } from '../api.ts'
import { count } from '../format.ts'
import { freshness, learnProvider, session } from '../store.ts'
import { Confirm } from './confirm.tsx'

/** "by ada: “their status page says an hour”" */
export const pausedBy = ({ by, note }: NonNullable<ProviderView['paused']>): string =>
  `by ${by ?? 'an operator'}${note === null ? '' : `: “${note}”`}`

const change = async (name: string, action: 'pause' | 'resume', body: object = {}): Promise<void> =>
  learnProvider(await post<ProviderView>(`/v1/providers/${encodeURIComponent(name)}/${action}`, body))

/** What can be done about a provider: pause it, resume it, or try it again at once. */
export const ProviderActions = ({ provider }: { readonly provider: ProviderView }) => {
  const { name, state, queue } = provider
  const [asks, setAsks] = useState(false)
  const [note, setNote] = useState('')
  if (session.value?.may_act !== true) return <p class="muted">Your key may read only.</p>
  const isAway = freshness.value === 'gone'
  const isPaused = state === 'paused'
  const verb = isPaused ? 'Resume' : state === 'healthy' || state === 'recovering' ? null : 'Try again now'
  return (
    <p class="buttons">
      {verb !== null && <Resume verb={verb} name={name} />}
      {!isPaused && (
        <button type="button" disabled={isAway} onClick={() => setAsks(true)}>
          Pause
        </button>
      )}
      {asks && (
        <Confirm
          title={`Pause ${name}?`}
          action={`Pause ${name}`}
          keep="Keep it running"
          run={() => change(name, 'pause', { note })}
          done={`${name} is paused.`}
          onClose={() => setAsks(false)}
        >
          <p>
            {count(queue.waiting)} waiting move on to other targets, or are parked where there is none;{' '}
            {count(queue.active)} calls finish.
          </p>
          <label>
            Note
            <input value={note} maxLength={200} onInput={event => setNote(event.currentTarget.value)} />
          </label>
        </Confirm>
      )}
    </p>
  )
}

/** Ends a pause, and whatever else keeps the provider, its keys or its models out of use. */
export const Resume = ({ verb, name }: { readonly verb: string; readonly name: string }) => {
  const [asks, setAsks] = useState(false)
  return (
    <>
      <button
        type="button"
        class="primary"
        disabled={freshness.value === 'gone'}
        onClick={() => setAsks(true)}
      >
        {verb}
      </button>
      {asks && (
        <Confirm
          title={`${verb}: ${name}?`}
          action={verb}
          run={() => change(name, 'resume')}
          done={`${name} may be called again.`}
          onClose={() => setAsks(false)}
        >
          <p>It is called again, and what was parked for it goes on.</p>
        </Confirm>
      )}
    </>
  )
}
