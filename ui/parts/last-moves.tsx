import type { ComponentChildren } from 'preact'
import type { ActionView } from '../../src/api/operator/views.ts'
import { actions, providers } from '../store.ts'
import { lookOf } from './state.tsx'
import { Time } from './time.tsx'

interface Move {
  readonly at: number
  readonly key: string
  readonly words: ComponentChildren
}

const mostMoves = 12

/** What was done, and where that is looked at. */
const doings: Readonly<Record<string, readonly [word: string, path: string | null]>> = {
  'provider.pause': ['paused', '/ui/providers/'],
  'provider.resume': ['resumed', '/ui/providers/'],
  'job.cancel': ['cancelled', '/ui/jobs/'],
  'job.retry': ['asked again for', '/ui/jobs/'],
  'batch.cancel': ['cancelled', '/ui/batches/'],
  'batch.retry': ['asked again for what failed of', '/ui/batches/'],
  'webhook.replay': ['sent again', null],
  'webhook.replay_all': ['sent again all of', '/ui/webhooks?receiver='],
}

const Linked = ({ path, name }: { readonly path: string | null; readonly name: string }) =>
  path === null ? <bdi>{name}</bdi> : <a href={path + encodeURIComponent(name)}>{name}</a>

const byPerson = ({ at, by, action, subject, note }: ActionView): Move => {
  const [word, path] = doings[action] ?? [action, null]
  return {
    at,
    key: `${by} ${action} ${subject}`,
    words: (
      <>
        <bdi>{by}</bdi> {word} <Linked path={path} name={subject} />
        {note !== null && <bdi>{` “${note}”`}</bdi>}
      </>
    ),
  }
}

/** What providers and people did of late: whether an action has helped. */
export const LastMoves = () => {
  const byProviders = (providers.value ?? []).flatMap(({ name, events }) =>
    events.map(
      ({ at, model, state, reason }): Move => ({
        at,
        key: `${name} ${model} ${state}`,
        words: (
          <>
            <Linked path="/ui/providers/" name={name} />
            <bdi>{model !== null && `/${model}`}</bdi>: {lookOf(state).word}
            {reason !== null && ` (${reason})`}
          </>
        ),
      }),
    ),
  )
  const moves = [...byProviders, ...actions.value.map(byPerson)]
    .toSorted((a, b) => b.at - a.at)
    .slice(0, mostMoves)
  if (moves.length === 0) return <p class="muted">Nothing has changed yet.</p>
  return (
    <ol class="plain">
      {moves.map(({ at, key, words }) => (
        <li key={`${at} ${key}`}>
          <Time at={at} /> {words}
        </li>
      ))}
    </ol>
  )
}
