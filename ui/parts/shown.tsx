import type { ComponentChildren } from 'preact'
import type { ApiError } from '../api.ts'
import type { Reading } from '../reading.ts'
import { Loading } from './panel.tsx'

/** What was read; or that it is on its way, or why it is not there. */
export const Shown = <View,>({
  of: { view, error, again },
  children,
}: {
  readonly of: Reading<View>
  readonly children: (view: View) => ComponentChildren
}) => (
  <>
    {error !== null && <Fault error={error} again={again} />}
    {view !== null ? children(view) : error === null && <Loading />}
  </>
)

/** An error in the place of what it keeps from being shown. */
const Fault = ({ error, again }: { readonly error: ApiError; readonly again: () => void }) => (
  <div class="panel" role="alert">
    <p class="bad-text">
      {error.message} ({error.code}
      {error.requestId !== null && <>, {error.requestId}</>})
    </p>
    <button type="button" onClick={again}>
      Try again
    </button>
  </div>
)
