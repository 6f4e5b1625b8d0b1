import { useEffect, useRef, useState } from 'preact/hooks'
import { type ApiError, asApiError, get } from './api.ts'
import { heardAt, refreshed } from './store.ts'
import { signIn } from './stream.ts'

export interface Reading<View> {
  /** Null until the first answer; kept while a later one is on its way, or fails. */
  readonly view: View | null
  readonly error: ApiError | null
  readonly again: () => void
}

interface Answer<View> {
  readonly path: string
  readonly view: View | null
  readonly error: ApiError | null
}

/** The least pause between two readings of what moves all the time. */
export const liveMs = 5_000

/**
 * What the API answers to a path, read anew at most each `everyMs` while the event stream speaks: a server that is away is not asked
 * again and again. 0 reads until there is an answer, and the path null nothing.
 */
export const useReading = <View>(path: string | null, everyMs = 0): Reading<View> => {
  const [answer, setAnswer] = useState<Answer<View> | null>(null)
  const read = useRef<() => void>(() => {})
  useEffect(() => {
    if (path === null) return
    let isOver = false
    let isBusy = false
    let readAt = 0
    let pauseMs = everyMs
    const ask = async (): Promise<void> => {
      if (isBusy) return
      isBusy = true
      readAt = Date.now()
      const outcome = await get<View>(path).then(
        view => ({ path, view, error: null }),
        (error: unknown) => ({ path, view: null, error: asApiError(error) }),
      )
      isBusy = false
      if (isOver) return
      // The session ended while the stream was still open.
      if (outcome.error?.status === 401) return signIn()
      pauseMs = outcome.error?.isPassing ? liveMs : everyMs
      setAnswer(before => ({
        ...outcome,
        view: outcome.view ?? (before?.path === path ? before.view : null),
      }))
    }
    read.current = () => void ask()
    void ask()
    const stop = heardAt.subscribe(() => {
      if (pauseMs > 0 && !document.hidden && Date.now() - readAt >= pauseMs) void ask()
    })
    return () => {
      isOver = true
      stop()
    }
  }, [path, everyMs, refreshed.value])
  const current = answer?.path === path ? answer : null
  return { view: current?.view ?? null, error: current?.error ?? null, again: () => read.current() }
}
