import { useEffect, useState } from 'preact/hooks'
import { get } from './api.ts'

/** A page of a list; where the server's time was up before it was full, it says so. */
export interface CutPage<Row> {
  readonly data: readonly Row[]
  readonly next_cursor: string | null
  readonly complete?: false
  /** What was looked at for it. */
  readonly scanned?: number
}

/** Half a minute of looking, at a quarter of a second for each answer: then somebody is to say that it is worth more. */
const mostAnswers = 120

const isCut = ({ complete, next_cursor }: CutPage<unknown>): boolean =>
  complete === false && next_cursor !== null

const joined = <Row, Page extends CutPage<Row>>(before: Page, next: Page): Page => ({
  ...next,
  data: [...before.data, ...next.data],
  scanned: (before.scanned ?? 0) + (next.scanned ?? 0),
})

/**
 * Goes on from a page that was cut, answer by answer, until there are `limit` rows, no more of them, or enough answers. `pathOf`: what
 * is asked for so many rows from there on. An error ends it; the cursor of what was found so far stays.
 */
export const useSearchOn = <Row, Page extends CutPage<Row>>(
  page: Page,
  limit: number,
  pathOf: (cursor: string, limit: number) => string,
): { readonly found: Page; readonly isSearching: boolean; readonly stop: () => void } => {
  const [found, setFound] = useState(page)
  const [isSearching, setSearching] = useState(isCut(page))
  const [search, setSearch] = useState({ isOver: false })

  useEffect(() => {
    const mine = { isOver: false }
    const goOn = async (): Promise<void> => {
      let all = page
      for (let answers = 0; isCut(all) && answers < mostAnswers; answers++) {
        const next = await get<Page>(pathOf(all.next_cursor!, limit - all.data.length))
        if (mine.isOver) return
        all = joined<Row, Page>(all, next)
        setFound(all)
      }
    }
    setFound(page)
    setSearching(isCut(page))
    setSearch(mine)
    goOn()
      .catch(() => {})
      .finally(() => {
        if (!mine.isOver) setSearching(false)
      })
    return () => {
      mine.isOver = true
    }
  }, [page])

  const stop = (): void => {
    search.isOver = true
    setSearching(false)
  }
  return { found, isSearching, stop }
}
