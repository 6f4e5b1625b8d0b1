import { useState } from 'preact/hooks'
import type { SessionView } from '../../src/api/operator/views.ts'
import { ApiError, post } from '../api.ts'
import { go, location_ } from '../router.ts'
import { session } from '../store.ts'

/** The key is sent once and kept nowhere: from then on a cookie stands for it that no script can read. */
export const SignIn = () => {
  const [error, setError] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  const signIn = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    if (isBusy) return
    setBusy(true)
    try {
      session.value = await post<SessionView>('/ui/session', { key: String(new FormData(form).get('key')) })
      const next = location_.value.searchParams.get('next') ?? ''
      // A path of this page only: a link must not lead elsewhere through the sign-in.
      go(/^\/ui(?:[/?]|$)/.test(next) ? next : '/ui', { replace: true })
    } catch (cause) {
      setError(cause instanceof ApiError ? cause.message : String(cause))
      form.reset()
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class="sign-in panel" onSubmit={signIn}>
      <label for="key">Operator key</label>
      <input id="key" name="key" type="password" autocomplete="off" required aria-describedby="why" />
      <p id="why" class={error === null ? 'muted' : 'bad-text'} role="alert">
        {error ?? 'A key of the role operator, as `api_keys` of the config has it.'}
      </p>
      <button type="submit" class="primary" disabled={isBusy}>
        Sign in
      </button>
    </form>
  )
}
