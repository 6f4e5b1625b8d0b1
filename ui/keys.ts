import { go, screens } from './router.ts'

/** `g` and a letter leads to a screen. Nothing that changes anything has a key. */
export const startKeys = (): void => {
  let lead = 0
  document.addEventListener('keydown', event => {
    const inField =
      event.target instanceof Element && event.target.closest('input, select, textarea, dialog') !== null
    if (inField || event.metaKey || event.ctrlKey || event.altKey) return
    if (event.key === 'g') {
      lead = event.timeStamp
      return
    }
    const screen = screens.find(({ rail }) => rail?.key === event.key)
    if (screen && lead > 0 && event.timeStamp - lead < 1_500) go(screen.path)
    lead = 0
  })
}
