import { useEffect, useRef } from 'preact/hooks'
import { keyWords, showsKeys } from '../keys.ts'
import { screens } from '../router.ts'

/** The keys of the page, as `?` shows them. */
export const KeyList = () => {
  const dialog = useRef<HTMLDialogElement>(null)
  const isShown = showsKeys.value
  useEffect(() => {
    if (isShown) dialog.current?.showModal()
  }, [isShown])
  if (!isShown) return null
  const close = (): void => {
    showsKeys.value = false
  }
  const leads = screens.flatMap(({ rail, title }): [string, string][] =>
    rail ? [[`g ${rail.key}`, title]] : [],
  )
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl class="facts">
        {[...leads, ...keyWords].map(([key, word]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{word}</dd>
          </div>
        ))}
      </dl>
      <p class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </p>
    </dialog>
  )
}
