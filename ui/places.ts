/** Where a reader was on a page: how far down, and on which link. */
interface Place {
  readonly y: number
  readonly link: string | null
}

/** What a list shows is there only once it was read. */
const patienceMs = 3_000

/** Kept with the entry of the browser's history, so that it lives as long as that. */
export const keepPlace = (): void => {
  const { activeElement: active } = document
  const link = active instanceof HTMLAnchorElement ? active.getAttribute('href') : null
  history.replaceState({ y: scrollY, link } satisfies Place, '')
}

/** Goes to where the reader was, as soon as the page is long enough; whatever the reader does meanwhile wins. */
export const returnToPlace = (state: unknown): void => {
  const { y = 0, link = null } = (state ?? {}) as Partial<Place>
  const until = performance.now() + patienceMs
  const leave = new AbortController()
  for (const event of ['wheel', 'pointerdown', 'keydown', 'popstate'] as const)
    addEventListener(event, () => leave.abort(), { signal: leave.signal, passive: true })
  const attempt = (): void => {
    if (leave.signal.aborted) return
    const target =
      link === null ? null : document.querySelector<HTMLElement>(`main a[href="${CSS.escape(link)}"]`)
    const isLong = document.documentElement.scrollHeight - innerHeight >= y
    if ((isLong && (link === null || target !== null)) || performance.now() > until) {
      leave.abort()
      target?.focus({ preventScroll: true })
      scrollTo(0, y)
    } else requestAnimationFrame(attempt)
  }
  requestAnimationFrame(attempt)
}
