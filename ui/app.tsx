import { effect, signal } from '@preact/signals'
import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import type { Trouble } from '../src/api/operator/views.ts'
import { ApiError, asApiError, ask, readSession } from './api.ts'
import { clock, span, zone } from './format.ts'
import { startKeys } from './keys.ts'
import { Announcer, announce } from './parts/announce.tsx'
import { Copy } from './parts/copy.tsx'
import { Guard } from './parts/guard.tsx'
import { KeyList } from './parts/key-list.tsx'
import { Search } from './parts/search.tsx'
import { Shown } from './parts/shown.tsx'
import { troubleSentence } from './parts/troubles.tsx'
import { currentScreen, location_, screens, startRouter } from './router.ts'
import { freshness, heardAt, moreTopics, newerVersion, second, session, showsUtc, troubles } from './store.ts'
import { follow, signIn, startStream } from './stream.ts'
import 'uplot/dist/uPlot.min.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/parts.css'

interface Verdict {
  readonly text: string
  readonly level: Trouble['level'] | 'ok'
}

const verdict = (): Verdict | null => {
  const all = troubles.value
  if (all === null) return null
  // The worst comes first.
  const [worst] = all
  if (worst === undefined) return { text: 'All is well', level: 'ok' }
  const more = all.length === 1 ? '' : `, and ${all.length - 1} more`
  return { text: troubleSentence(worst) + more, level: worst.level }
}

/** On each screen, as a way to what is wrong. */
const VerdictLink = () => {
  const now = verdict()
  if (now === null) return null
  return (
    <a class={now.level} href="/ui">
      <bdi>{now.text}</bdi>
    </a>
  )
}

const Age = () => {
  const state = freshness.value
  if (state === 'loading') return <>connecting…</>
  return (
    <>
      {state === 'live' ? 'live' : `${span((second.value - heardAt.value) / 1_000)} old`}, {zone()}
    </>
  )
}

const Banner = () => {
  if (newerVersion.value !== null)
    return (
      <p class="banner">
        Baton {newerVersion.value} runs by now.{' '}
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </p>
    )
  if (freshness.value !== 'gone') return null
  return <p class="banner bad">Disconnected, figures of {clock(heardAt.value / 1_000)}</p>
}

const isRefused = (error: unknown): boolean => error instanceof ApiError && error.status === 401

const signOut = async (): Promise<void> => {
  try {
    await ask('DELETE', '/ui/session')
  } catch (error) {
    // Whoever leaves the machine now must know.
    if (!isRefused(error)) return announce(`You are still signed in. ${asApiError(error).message}`)
  }
  signIn()
}

/** In the rail, and on a phone in the header: the bar there has no room for it. */
const SignOut = () =>
  session.value?.keyless === false && (
    <button type="button" class="plain sign-out" onClick={signOut}>
      Sign out
    </button>
  )

const Rail = () => {
  const current = currentScreen()?.screen.path ?? ''
  return (
    <nav aria-label="Screens">
      <ul>
        {screens
          .filter(({ rail }) => rail)
          .map(({ path, title }) => (
            <li key={path}>
              <a
                href={path}
                aria-current={
                  current === path || (path !== '/ui' && current.startsWith(path)) ? 'page' : undefined
                }
              >
                {title}
              </a>
            </li>
          ))}
      </ul>
      <SignOut />
    </nav>
  )
}

const App = () => {
  const found = currentScreen()
  const isIn = session.value !== null
  const topics = isIn && found ? [...found.screen.topics(found.name), ...moreTopics.value] : []
  const title = found ? found.name || found.screen.title : 'No such page'
  useEffect(() => follow(topics), [topics.join()])
  useEffect(() => {
    document.title = `${title} · Baton`
  }, [title])
  const isSignIn = found?.screen.path === '/ui/sign-in'
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <strong class="brand">Baton</strong>
        <span class="verdict">{isIn && <VerdictLink />}</span>
        {isIn && <Search />}
        <span class="age">{isIn && <Age />}</span>
        {isIn && <SignOut />}
      </header>
      {isIn && <Rail />}
      <main id="main" class={freshness.value} tabIndex={-1}>
        {isIn && <Banner />}
        <h1 tabIndex={-1}>
          <bdi>{title}</bdi>
        </h1>
        {isIn && found !== null && found.name !== '' && <Copy text={found.name} />}
        {isIn || isSignIn ? (
          <Guard key={location_.value.pathname}>
            {found ? <found.screen.View key={found.name} name={found.name} /> : <p>There is nothing here.</p>}
          </Guard>
        ) : (
          <Shown of={{ view: null, error: sessionError.value, again: enter }}>{() => null}</Shown>
        )}
      </main>
      <KeyList />
      <Announcer />
    </>
  )
}

/** The verdict is told when it changes, not with each figure. */
const tellVerdict = (): void => {
  let last = ''
  effect(() => {
    const now = verdict()?.text ?? ''
    if (last !== '' && now !== last) announce(now)
    last = now
  })
}

/** Why it is not known who looks; null while that is asked. */
const sessionError = signal<ApiError | null>(null)

const enterAgainMs = 5_000

/** Finds out who looks, and goes on asking where the server cannot say: a page that was loaded in an outage comes to itself. */
const enter = async (): Promise<void> => {
  try {
    session.value = await readSession()
    sessionError.value = null
  } catch (error) {
    if (isRefused(error)) return signIn()
    sessionError.value = asApiError(error)
    if (sessionError.value.isPassing) setTimeout(() => session.value === null && void enter(), enterAgainMs)
  }
}

const start = (): void => {
  startRouter()
  startKeys(() => {
    showsUtc.value = !showsUtc.value
  })
  startStream()
  tellVerdict()
  void enter()
  const root = document.getElementById('app')!
  root.replaceChildren()
  render(<App />, root)
}

start()
