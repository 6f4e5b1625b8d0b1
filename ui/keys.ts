import { signal } from '@preact/signals'
import { go, location_, screens } from './router.ts'
import { refreshed } from './store.ts'

/** Whether the list of keys is shown. */
export const showsKeys = signal(false)

/** What `?` tells, beside the screens. */
export const keyWords: readonly (readonly [string, string])[] = [
  ['/', 'search'],
  ['j, k', 'next and previous row, Enter opens it'],
  ['[, ]', 'previous and next of the list that led here'],
  ['r', 'read anew'],
  ['u', 'UTC, or the zone of the page'],
  ['?', 'these keys'],
]

/** Rows of lists have one link that opens them. */
const rowLinks = (): readonly HTMLAnchorElement[] =>
  [...document.querySelectorAll<HTMLTableRowElement>('main table tbody tr')].flatMap(
    row => row.querySelector('a') ?? [],
  )

/** The addresses of the list that was left for one of its rows. */
let listed: readonly string[] = []

const step = (by: 1 | -1): void => {
  const links = rowLinks()
  const now = links.indexOf(document.activeElement as HTMLAnchorElement)
  links[
    now === -1 ? (by === 1 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, now + by))
  ]?.focus()
}

const stepWithin = (by: 1 | -1): void => {
  const here = listed.findIndex(href => new URL(href).pathname === location_.value.pathname)
  const next = here === -1 ? undefined : listed[here + by]
  if (next !== undefined) go(next, { replace: true })
}

const doings: Readonly<Record<string, (event: KeyboardEvent) => void>> = {
  '/': event => {
    event.preventDefault()
    document.querySelector<HTMLInputElement>('#search')?.focus()
  },
  j: () => step(1),
  k: () => step(-1),
  '[': () => stepWithin(-1),
  ']': () => stepWithin(1),
  r: () => {
    refreshed.value += 1
  },
  '?': () => {
    showsKeys.value = !showsKeys.value
  },
}

/** Letters lead and read; nothing that changes anything has a key. */
export const startKeys = (changeZone: () => void): void => {
  let lead = 0
  const remember = (event: Event): void => {
    const row = event.target instanceof Element ? event.target.closest('main tbody tr') : null
    if (row !== null) listed = rowLinks().map(({ href }) => href)
  }
  // Before the router has taken the list away.
  document.addEventListener('click', remember, { capture: true })
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
    else if (event.key === 'u') changeZone()
    else if (Object.hasOwn(doings, event.key)) doings[event.key]!(event)
    lead = 0
  })
}
