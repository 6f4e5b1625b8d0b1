import { signal } from '@preact/signals'

const words = signal('')

/** Says a result to screen readers, and shows it for a while. Never numbers that change. */
export const announce = (text: string): void => {
  words.value = text
  setTimeout(() => {
    if (words.value === text) words.value = ''
  }, 8_000)
}

export const Announcer = () => (
  <div class="announcer" role="status" aria-live="polite">
    {words.value !== '' && <p>{words.value}</p>}
  </div>
)
