import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { keepPlace, returnToPlace } from './places.ts'
import { Batch } from './screens/batch.tsx'
import { Batches } from './screens/batches.tsx'
import { Costs } from './screens/costs.tsx'
import { Job } from './screens/job.tsx'
import { Jobs } from './screens/jobs.tsx'
import { NewBatch } from './screens/new-batch.tsx'
import { Overview } from './screens/overview.tsx'
import { Provider } from './screens/provider.tsx'
import { Providers } from './screens/providers.tsx'
import { SignIn } from './screens/sign-in.tsx'
import { Webhooks } from './screens/webhooks.tsx'
import { withQuery } from './with-query.ts'

export interface ScreenProps {
  /** What the path names, such as a provider; '' where it names nothing. */
  readonly name: string
}

export interface Screen {
  /** `:name` stands for one part of a path. */
  readonly path: string
  readonly title: string
  readonly View: ComponentType<ScreenProps>
  /** What the event stream tells while it is shown. */
  readonly topics: (name: string) => readonly string[]
  /** Its place in the rail, and the key after `g` that leads there. */
  readonly rail?: { readonly key: string }
}

const idPatterns = {
  job: /^job_[0-9a-hjkmnp-tv-z]{26}$/,
  batch: /^(?:msg)?batch_[0-9a-hjkmnp-tv-z]{26}$/,
  provider: /^[a-z0-9][a-z0-9_-]{0,39}$/,
}

/** What no id can be is no topic either: the stream would be refused, and with it all that is live. */
const idTopic = (kind: keyof typeof idPatterns, id: string): readonly string[] =>
  idPatterns[kind].test(id) ? [`${kind}:${id}`] : []

/** A screen is a file and a line here. */
export const screens: readonly Screen[] = [
  {
    path: '/ui',
    title: 'Overview',
    View: Overview,
    topics: () => ['overview', 'providers'],
    rail: { key: 'o' },
  },
  {
    path: '/ui/providers',
    title: 'Providers',
    View: Providers,
    topics: () => ['overview', 'providers'],
    rail: { key: 'p' },
  },
  {
    path: '/ui/providers/:name',
    title: 'Provider',
    View: Provider,
    topics: name => [
      'overview',
      ...(idPatterns.provider.test(name) ? idTopic('provider', name) : ['providers']),
    ],
  },
  {
    path: '/ui/batches',
    title: 'Batches',
    View: Batches,
    topics: () => ['overview', 'batches'],
    rail: { key: 'b' },
  },
  { path: '/ui/batches/new', title: 'New batch', View: NewBatch, topics: () => ['overview'] },
  {
    path: '/ui/batches/:name',
    title: 'Batch',
    View: Batch,
    topics: name => ['overview', ...idTopic('batch', name)],
  },
  { path: '/ui/jobs', title: 'Jobs', View: Jobs, topics: () => ['overview'], rail: { key: 'j' } },
  { path: '/ui/jobs/:name', title: 'Job', View: Job, topics: name => ['overview', ...idTopic('job', name)] },
  { path: '/ui/costs', title: 'Costs', View: Costs, topics: () => ['overview'], rail: { key: 'c' } },
  {
    path: '/ui/webhooks',
    title: 'Webhooks',
    View: Webhooks,
    topics: () => ['overview', 'webhooks'],
    rail: { key: 'w' },
  },
  { path: '/ui/sign-in', title: 'Sign in', View: SignIn, topics: () => [] },
]

export const location_ = signal(new URL(location.href))

const matches = (pattern: string, path: string): string | null => {
  const [wanted, given] = [pattern.split('/'), path.replace(/\/$/, '').split('/')]
  if (wanted.length !== given.length) return null
  let name = ''
  for (const [i, part] of wanted.entries()) {
    if (part.startsWith(':')) name = given[i]!
    else if (part !== given[i]) return null
  }
  try {
    return decodeURIComponent(name)
  } catch {
    return null
  }
}

export const currentScreen = (): { readonly screen: Screen; readonly name: string } | null => {
  for (const screen of screens) {
    const name = matches(screen.path, location_.value.pathname)
    if (name !== null) return { screen, name }
  }
  return null
}

const show = (): void => {
  location_.value = new URL(location.href)
}

/** This screen with other words in its address; null leaves one out. */
export const hrefWith = (words: Readonly<Record<string, string | null>>): string => {
  const { pathname, searchParams } = location_.value
  return withQuery(pathname, { ...Object.fromEntries(searchParams), ...words })
}

/** Goes to a path of this page. `stays`: it shows the same as before in another way. */
export const go = (href: string, { replace = false, stays = false } = {}): void => {
  keepPlace()
  history[replace || stays ? 'replaceState' : 'pushState'](null, '', href)
  show()
  if (stays) return
  scrollTo(0, 0)
  document.querySelector('h1')?.focus()
}

/** Links stay real links: only a plain click on one of this page is taken over. */
export const startRouter = (): void => {
  history.scrollRestoration = 'manual'
  addEventListener('scrollend', keepPlace)
  addEventListener('popstate', ({ state }) => {
    show()
    returnToPlace(state)
  })
  document.addEventListener('click', event => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target !== '') return
    if (
      link.origin !== location.origin ||
      !/^\/ui(\/|$)/.test(link.pathname) ||
      link.hasAttribute('download')
    )
      return
    event.preventDefault()
    go(link.href)
  })
}
