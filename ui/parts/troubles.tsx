import type { Trouble } from '../../src/api/operator/views.ts'
import { count } from '../format.ts'
import { providers } from '../store.ts'
import { pausedBy } from './provider-actions.tsx'
import { Icon } from './state.tsx'
import { Time } from './time.tsx'

const sentences: Readonly<Record<Trouble['code'], (subject: string) => string>> = {
  provider_away: subject => `${subject} is away`,
  provider_paused: subject => `${subject} is paused`,
  key_stopped: subject => `A key of ${subject} is stopped`,
  model_stopped: subject => `${subject} is stopped`,
  no_worker: subject => `No worker serves ${subject}`,
  batch_blocked: subject => `Batch ${subject} is blocked`,
  deadline_at_risk: subject => `${subject} will miss its deadline`,
  dead_letters: () => 'Webhooks were given up',
  redis: () => 'Redis is away',
  blob_store: () => 'The store of files is away',
  clock: () => "A host's clock is off",
  configs: () => 'Processes run on different configs',
}

export const troubleSentence = ({ code, subject }: Trouble): string => sentences[code](subject ?? '')

/** A pause has somebody's words in the place of a reason. */
const whyOf = ({ code, subject, reason }: Trouble): string => {
  const paused =
    code === 'provider_paused' ? providers.value?.find(({ name }) => name === subject)?.paused : null
  if (paused) return ` ${pausedBy(paused)}`
  return reason === null ? '' : ` (${reason})`
}

const countedOf = ({ code }: Trouble): string => (code === 'dead_letters' ? 'of them' : 'held up')

/** Where something can be done about it. */
const hrefOf = ({ code, subject }: Trouble): string | null => {
  if (code === 'dead_letters') return '/ui/webhooks'
  if (subject === null) return null
  if (code === 'batch_blocked' || /^(?:msg)?batch_/.test(subject)) return `/ui/batches/${subject}`
  const [provider] = subject.split(/[/#]/, 1)
  return /^(?:provider|key|model|no_worker)/.test(code)
    ? `/ui/providers/${encodeURIComponent(provider!)}`
    : null
}

const marks = { bad: 'M8 3v6M8 12v.5', warn: 'M8 3v6M8 12v.5', hold: 'M5.5 3.5v9M10.5 3.5v9' } as const

export const TroubleList = ({ troubles }: { readonly troubles: readonly Trouble[] }) => (
  <ul class="troubles">
    {troubles.map(trouble => {
      const { code, level, subject, since } = trouble
      const href = hrefOf(trouble)
      return (
        <li key={`${code} ${subject}`} class={level}>
          <Icon path={marks[level]} />
          <span>
            <strong>
              <bdi>{troubleSentence(trouble)}</bdi>
            </strong>
            <bdi>{whyOf(trouble)}</bdi>
            {since !== null && (
              <>
                {' since '}
                <Time at={since} />
              </>
            )}
            {trouble.count !== null && trouble.count > 0 && `, ${count(trouble.count)} ${countedOf(trouble)}`}
          </span>
          {href !== null && (
            <a class="button" href={href}>
              Open
            </a>
          )}
        </li>
      )
    })}
  </ul>
)
