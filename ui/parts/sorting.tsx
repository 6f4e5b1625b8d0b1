import { go, hrefWith } from '../router.ts'
import { asked } from './filter-bar.tsx'
import type { Column } from './table.tsx'

export interface Order {
  readonly head: string
  readonly isDown: boolean
}

/** `sort=Table.Head` in the address, with `-` before it for the largest first. */
export const orderOf = (table: string): Order | null => {
  const [, down, of, head] = /^(-?)(.*)\.([^.]*)$/.exec(asked('sort')) ?? []
  return of === table && head !== undefined ? { head, isDown: down === '-' } : null
}

const wordOf = (table: string, { head, isDown }: Order): string => `${isDown ? '-' : ''}${table}.${head}`

const sortBy = (word: string | null): void => go(hrefWith({ sort: word }), { stays: true })

/** What is not known comes last, in either direction. */
export const sortedBy = <Row,>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  order: Order | null,
): readonly Row[] => {
  const by = columns.find(({ head }) => head === order?.head)?.by
  if (order === null || by === undefined) return rows
  const sign = order.isDown ? -1 : 1
  return rows.toSorted((a, b) => {
    const [left, right] = [by(a), by(b)]
    if (left === null || right === null) return Number(left === null) - Number(right === null)
    if (typeof left === 'string') return sign * left.localeCompare(String(right))
    return sign * (left - Number(right))
  })
}

interface SortProps<Row> {
  /** By its name in the address. */
  readonly table: string
  readonly order: Order | null
  readonly column: Column<Row>
}

/** Numbers are sorted with the largest first, and words from a; asked again, the other way round, and then not at all. */
export const Head = <Row,>({ column: { head, isNumber = false, by }, table, order }: SortProps<Row>) => {
  const className = isNumber ? 'number' : undefined
  if (by === undefined)
    return (
      <th scope="col" class={className}>
        {head}
      </th>
    )
  const own = order?.head === head ? order : null
  const next =
    own === null ? { head, isDown: isNumber } : own.isDown === isNumber ? { head, isDown: !isNumber } : null
  return (
    <th
      scope="col"
      class={className}
      aria-sort={own === null ? 'none' : own.isDown ? 'descending' : 'ascending'}
    >
      <button type="button" class="sort" onClick={() => sortBy(next && wordOf(table, next))}>
        {head}
        <svg class="order" viewBox="0 0 8 12" aria-hidden="true">
          {own?.isDown !== true && <path d="M1 5 4 1.5 7 5" />}
          {own?.isDown !== false && <path d="M1 7l3 3.5L7 7" />}
        </svg>
      </button>
    </th>
  )
}

/** On a phone rows are cards and have no heads to press: a choice takes their place. */
export const SortChoice = <Row,>({
  columns,
  table,
  order,
}: Omit<SortProps<Row>, 'column'> & { readonly columns: readonly Column<Row>[] }) => {
  const orders = columns
    .filter(({ by }) => by !== undefined)
    .flatMap(({ head, isNumber = false }) => [isNumber, !isNumber].map(isDown => ({ head, isDown })))
  if (orders.length === 0) return null
  const chosen = order === null ? '' : wordOf(table, order)
  return (
    <label class="sort-choice">
      Sorted by
      <select value={chosen} onChange={event => sortBy(event.currentTarget.value || null)}>
        <option value="">—</option>
        {orders.map(each => {
          const word = wordOf(table, each)
          return (
            <option key={word} value={word} selected={word === chosen}>
              {each.head}, {each.isDown ? 'descending' : 'ascending'}
            </option>
          )
        })}
      </select>
    </label>
  )
}
