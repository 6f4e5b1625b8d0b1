import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, ask, onceKey } from '../api.ts'
import { percent } from '../format.ts'
import { announce } from '../parts/announce.tsx'
import { Panel } from '../parts/panel.tsx'
import { go } from '../router.ts'
import { session } from '../store.ts'
import { upload } from '../upload.ts'

const endpoints = ['/v1/chat/completions', '/v1/responses', '/v1/embeddings', '/v1/completions']

/** `key=value`, a line each. */
const metadataOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split('\n')
      .filter(line => line.includes('='))
      .map(line => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()]),
  )

const bodyOf = (fields: FormData, fileId: string): object => {
  const of = (name: string): string => String(fields.get(name) ?? '').trim()
  const metadata = metadataOf(of('metadata'))
  return {
    input_file_id: fileId,
    endpoint: of('endpoint'),
    completion_window: of('window'),
    ...(of('limit') !== '' && { max_cost_usd: Number(of('limit')) }),
    ...(of('webhook') !== '' && { webhook: { url: of('webhook') } }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  }
}

/** Sends a file and makes a batch of it. Faults of its lines are shown where the batch is. */
export const NewBatch = () => {
  const [share, setShare] = useState<number | null>(null)
  const [error, setError] = useState<string | null>(null)
  // A second try does not send the same file again, and makes no second batch where an answer got lost.
  const sent = useRef<{ readonly file: File; readonly id: string } | null>(null)
  const key = useRef(onceKey())
  const isHere = useRef(true)
  const leave = (): void => {
    isHere.current = false
  }
  useEffect(() => leave, [])
  if (session.value?.may_act !== true) return <p class="muted">Your key may read only.</p>

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget as HTMLFormElement)
    const file = fields.get('file') as File
    setError(null)
    setShare(0)
    try {
      if (sent.current?.file !== file || sent.current === null)
        sent.current = { file, id: (await upload(file, setShare)).id }
      const body = bodyOf(fields, sent.current.id)
      const { id } = await ask<{ id: string }>('POST', '/v1/batches', body, {
        'idempotency-key': key.current,
      })
      announce('The batch was made.')
      // Who has gone elsewhere meanwhile stays there.
      if (isHere.current) go(`/ui/batches/${id}`)
    } catch (cause) {
      // What is asked for next is another batch, unless this one may have been made after all.
      if (cause instanceof ApiError && !cause.isPassing) key.current = onceKey()
      const why =
        cause instanceof ApiError
          ? `${cause.message} (${cause.code}, ${cause.requestId ?? 'no id'})`
          : String(cause)
      if (!isHere.current) announce(`The batch was not made: ${why}`)
      setError(why)
      setShare(null)
    }
  }
  return (
    <Panel title="Requests">
      <form class="stack" onSubmit={submit}>
        <label>
          File, a request a line (JSONL)
          <input name="file" type="file" accept=".jsonl,.json,.txt" required />
        </label>
        <label>
          Endpoint
          <select name="endpoint">
            {endpoints.map(each => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          Window, 1m to 7d
          <input name="window" defaultValue="24h" required maxLength={10} />
        </label>
        <label>
          Limit of its cost in dollars (none where empty)
          <input name="limit" inputMode="decimal" pattern="[0-9]*\.?[0-9]+" />
        </label>
        <label>
          Webhook
          <input name="webhook" type="url" placeholder="https://…" />
        </label>
        <label>
          Metadata, key=value, a line each
          <textarea name="metadata" rows={3} />
        </label>
        {error !== null && (
          <p class="bad-text" role="alert">
            {error}
          </p>
        )}
        {share !== null && (
          <p>
            <progress max={1} value={share} aria-label="Sent of the file" /> {percent(share)} sent
          </p>
        )}
        <p class="buttons">
          <button type="submit" class="primary" disabled={share !== null}>
            Submit
          </button>
        </p>
      </form>
    </Panel>
  )
}
