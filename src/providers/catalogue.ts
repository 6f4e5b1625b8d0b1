import type { UpstreamOutcome } from '../domain/upstream.ts'
import { isJsonObject } from '../json/json-object.ts'
import { modelNamesIn } from './model-names.ts'

/** Where a vendor names the models that can be called, in one list or several. */
export interface Catalogue {
  /** From the root of the host, a page as long as the API allows. */
  paths(base: URL): readonly string[]
  /**
   * The host that has the lists, where calls go to another; null where nobody can know it. `env`: the environment of this
   * process, in which a cloud's own tools look for such addresses.
   */
  host?(base: URL, env: Readonly<Record<string, string | undefined>>): URL | null
  readonly headers?: Readonly<Record<string, string>>
  /** The member of a page that holds the token of the next, and the parameter that asks for it; absent where a list is one page. */
  readonly next?: readonly [member: string, parameter: string]
  /** What the lists name, each with all its pages. */
  namesIn(lists: readonly (readonly unknown[])[]): readonly string[]
}

/** A list of one page, in one of the shapes that vendors share. */
export const onePage = (path: (base: URL) => string): Catalogue => ({
  paths: base => [path(base)],
  namesIn: ([pages = []]) => modelNamesIn(pages[0]),
})

/** More than any vendor has; whoever sends another token for ever is not followed. */
const mostPages = 20

const tokenIn = (page: unknown, member: string): string | null => {
  const token = isJsonObject(page) ? page[member] : undefined
  return typeof token === 'string' && token !== '' ? token : null
}

type AskFor = (path: string) => Promise<UpstreamOutcome>

const pagesOf = async (ask: AskFor, path: string, next: Catalogue['next']): Promise<unknown[] | null> => {
  const pages: unknown[] = []
  let token: string | null = null
  do {
    const more: string =
      token === null ? '' : `${path.includes('?') ? '&' : '?'}${next![1]}=${encodeURIComponent(token)}`
    const outcome = await ask(path + more)
    if (outcome.kind === 'break' || outcome.status >= 300) return null
    pages.push(outcome.json)
    token = next === undefined ? null : tokenIn(outcome.json, next[0])
  } while (token !== null && pages.length < mostPages)
  return pages
}

/** Null where one of the lists did not come whole: what is not in it would seem not to be there. */
export const readCatalogue = async (
  { paths, next, namesIn }: Catalogue,
  base: URL,
  ask: AskFor,
): Promise<readonly string[] | null> => {
  const lists: (readonly unknown[])[] = []
  // One after the other: a signal ends one request at a time.
  for (const path of paths(base)) {
    const pages = await pagesOf(ask, path, next)
    if (pages === null) return null
    lists.push(pages)
  }
  return namesIn(lists)
}
