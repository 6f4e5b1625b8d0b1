import type { OperatorJobView, WebhookTry } from '../../src/api/operator/job-view.ts'
import { count, millis } from '../format.ts'
import { Fact } from './fact.tsx'
import { Panel } from './panel.tsx'
import { State } from './state.tsx'
import { Time } from './time.tsx'

type Webhook = NonNullable<OperatorJobView['webhook']>

/** Why was its receiver not told, and when is it tried next? */
export const JobWebhook = ({
  webhook,
  hasEnded,
}: {
  readonly webhook: Webhook
  readonly hasEnded: boolean
}) => {
  const { status, attempts, last_reason, next_at, held_since, log } = webhook
  return (
    <Panel title="Webhook">
      <dl class="facts">
        <Fact name="Receiver">{originOf(webhook.url)}</Fact>
        <Fact name="Delivery">
          {hasEnded ? `${status} after ${count(attempts)}` : 'once the job has ended'}
        </Fact>
        {last_reason !== null && <Fact name="Last try">{last_reason}</Fact>}
        {held_since !== null && (
          <Fact name="Put off">
            since <Time at={held_since} />: the receiver fails for others, too, or has no free slot
          </Fact>
        )}
        {next_at !== null && (
          <Fact name="Next try">
            <Time at={next_at} ago />
          </Fact>
        )}
      </dl>
      {log.length > 0 && <Tries log={log} />}
    </Panel>
  )
}

const Tries = ({ log }: { readonly log: readonly WebhookTry[] }) => (
  <ol class="steps" aria-label="Tries">
    {log.map(({ at, took_ms, outcome, reason }, i) => (
      <li key={i}>
        <Time at={at} /> <State state={outcome === 'pending' ? 'failed' : outcome} />{' '}
        <bdi>{outcome === 'delivered' ? `answered ${reason}` : reason}</bdi> after {millis(took_ms)}
      </li>
    ))}
  </ol>
)

/** The path may be a secret of the receiver's. */
const originOf = (url: string): string => URL.parse(url)?.origin ?? '—'
