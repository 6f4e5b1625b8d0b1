import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../api.ts'
import { go } from '../router.ts'
import { announce } from './announce.tsx'

interface ConfirmProps<Result> {
  readonly title: string
  /** On the button that does it; the other keeps things as they are. */
  readonly action: string
  readonly keep?: string
  readonly children?: ComponentChildren
  /** Does it; throws an `ApiError` that is shown here. */
  readonly run: () => Promise<Result>
  readonly done: string
  /** Where its result is looked at: who still waits here is led there. */
  readonly leadsTo?: (result: Result) => string
  readonly onClose: () => void
}

/** The browser gives the focus back to what had it, unless what was done has taken that away: then nothing has it. */
const focusSomewhere = (): void => {
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.querySelector('h1')?.focus()
  })
}

/** Asks before something is changed. The safe button has the focus, and Esc is that button. Who closes it before the answer came is told of it. */
export const Confirm = <Result,>(props: ConfirmProps<Result>) => {
  const { title, action, keep = 'Leave it', children, run, done, leadsTo, onClose } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const [error, setError] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  useEffect(() => {
    dialog.current?.showModal()
    return focusSomewhere
  }, [])
  const act = async (event: Event): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    try {
      const result = await run()
      announce(done)
      const waited = dialog.current?.open === true
      dialog.current?.close()
      if (leadsTo && waited) go(leadsTo(result))
    } catch (cause) {
      const why =
        cause instanceof ApiError
          ? `${cause.message} (${cause.code}, ${cause.requestId ?? 'no id'})`
          : String(cause)
      if (dialog.current?.open !== true) announce(`${title} It was not done: ${why}`)
      setError(why)
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
            {isBusy ? 'Close' : keep}
          </button>
          <button type="submit" class="primary" disabled={isBusy}>
            {action}
          </button>
        </p>
      </form>
    </dialog>
  )
}
