import { useState } from 'preact/hooks'
import type { ContentText, JobContentView } from '../../src/api/operator/job-view.ts'
import { type ApiError, get } from '../api.ts'
import { count } from '../format.ts'
import { session } from '../store.ts'
import { Panel } from './panel.tsx'

/** Prompt and answer of a job, for whom the config lets read them. Each look is logged, so it takes a click. */
export const JobContent = ({ id }: { readonly id: string }) => {
  const [content, setContent] = useState<JobContentView | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [isBusy, setBusy] = useState(false)
  if (session.value?.may_read_content !== true) return null
  const read = (): void => {
    setBusy(true)
    get<JobContentView>(`/v1/jobs/${encodeURIComponent(id)}/content`)
      .then(
        view => {
          setContent(view)
          setError(null)
        },
        (fault: ApiError) => setError(fault),
      )
      .finally(() => setBusy(false))
  }
  return (
    <Panel title="Prompt and answer" wide>
      {error !== null && (
        <p class="bad-text" role="alert">
          {error.message} ({error.code})
        </p>
      )}
      {content === null ? (
        <p>
          <button type="button" disabled={isBusy} onClick={read}>
            Show
          </button>{' '}
          <span class="muted">The log notes who has read it.</span>
        </p>
      ) : (
        <>
          <Text title="Request" of={content.request} missing="It is not kept." />
          <Text title="Answer" of={content.response} missing="There is none." />
        </>
      )}
    </Panel>
  )
}

const Text = ({
  title,
  of,
  missing,
}: {
  readonly title: string
  readonly of: ContentText | null
  readonly missing: string
}) => (
  <>
    <h3>{title}</h3>
    {of === null ? (
      <p class="muted">{missing}</p>
    ) : (
      <>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys. */}
        <section class="scrolls" aria-label={title} tabIndex={0}>
          <pre>{of.text}</pre>
        </section>
        {of.text.length < of.bytes && <p class="muted">Of {count(of.bytes)} bytes.</p>}
      </>
    )}
  </>
)
