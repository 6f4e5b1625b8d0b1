import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../api.ts'
import { announce } from './announce.tsx'

interface ConfirmProps {
  readonly title: string
  /** On the button that does it; the other keeps things as they are. */
  readonly action: string
  readonly keep?: string
  readonly children?: ComponentChildren
  /** Does it; throws an `ApiError` that is shown here. */
  readonly run: () => Promise<unknown>
  readonly done: string
  readonly onClose: () => void
}

/** Asks before something is changed. The safe button has the focus, and Esc is that button. */
export const Confirm = ({ title, action, keep = 'Leave it', children, run, done, onClose }: ConfirmProps) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const [error, setError] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  const act = async (event: Event): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    try {
      await run()
      announce(done)
      dialog.current?.close()
    } catch (cause) {
      setError(
        cause instanceof ApiError
          ? `${cause.message} (${cause.code}, ${cause.requestId ?? 'no id'})`
          : String(cause),
      )
      setBusy(false)
    }
  }
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="confirm-title">
      <form onSubmit={act}>
        <h2 id="confirm-title">{title}</h2>
        {children}
        {error !== null && <p class="bad-text">{error}</p>}
        <p class="buttons">
          <button type="button" autofocus onClick={() => dialog.current?.close()}>
            {keep}
          </button>
          <button type="submit" class="primary" disabled={isBusy}>
            {action}
          </button>
        </p>
      </form>
    </dialog>
  )
}
