import type { ComponentChildren } from 'preact'
import { useErrorBoundary } from 'preact/hooks'

/** A screen that fails says so, and leaves the way to the others. */
export const Guard = ({ children }: { readonly children: ComponentChildren }) => {
  const [error, reset] = useErrorBoundary((fault: unknown) => console.error(fault))
  if (error === undefined || error === null) return <>{children}</>
  return (
    <div class="panel" role="alert">
      <p class="bad-text">This cannot be shown: {String(error)}</p>
      <button type="button" onClick={reset}>
        Try again
      </button>
    </div>
  )
}
