import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import { go, hrefWith } from '../router.ts'
import { useSteady } from '../steady.tsx'
import { asked } from './filter-bar.tsx'
import { Panel } from './panel.tsx'

export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => ComponentChildren
  readonly isNumber?: boolean
  /** Names the row to those who hear the table. */
  readonly isName?: boolean
  /** What the rows can be sorted by, where the table has them all. */
  readonly by?: (row: Row) => string | number | null
}

interface TableProps<Row> {
  readonly title: string
  /** In the address of a sorted table, where the title changes. */
  readonly name?: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  /** What is said where there is no row. */
  readonly empty: string
  /** What a row is known by, where rows change places. */
  readonly keyOf?: (row: Row) => string
  readonly children?: ComponentChildren
}

/** A table with its title; on a phone each row is a card. */
export const Table = <Row,>(props: TableProps<Row>) => {
  const { title, name = title, rows, columns, empty, keyOf, children } = props
  const order = orderOf(name)
  const sorted = sortedBy(rows, columns, order)
  const { rows: steady, hold } = useSteady(
    sorted,
    row => keyOf?.(row) ?? String(rows.indexOf(row)),
    order === null ? '' : `${order.isDown} ${order.head}`,
  )
  return (
    <Panel title={title} wide>
      {rows.length === 0 ? (
        <p class="muted">{empty}</p>
      ) : (
        <table class="cards" {...hold}>
          <thead>
            <tr>
              {columns.map(column => (
                <Head key={column.head} column={column} table={name} order={order} />
              ))}
            </tr>
          </thead>
          <tbody>
            {(order === null ? rows : steady).map((row, i) => (
              <Row key={keyOf?.(row) ?? i} row={row} columns={columns} />
            ))}
          </tbody>
        </table>
      )}
      {children}
    </Panel>
  )
}

interface Order {
  readonly head: string
  readonly isDown: boolean
}

/** `sort=Table.Head` in the address, with `-` before it for the largest first. */
const orderOf = (table: string): Order | null => {
  const [, down, of, head] = /^(-?)(.*)\.([^.]*)$/.exec(asked('sort')) ?? []
  return of === table && head !== undefined ? { head, isDown: down === '-' } : null
}

/** What is not known comes last, in either direction. */
const sortedBy = <Row,>(
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

/** Numbers are sorted with the largest first, and words from a; asked again, the other way round, and then not at all. */
const Head = <Row,>({
  column: { head, isNumber, by },
  table,
  order,
}: {
  readonly column: Column<Row>
  readonly table: string
  readonly order: Order | null
}) => {
  const own = order?.head === head ? order : null
  const first = isNumber ? '-' : ''
  const isFirst = own?.isDown === (first === '-')
  const next =
    own === null ? `${first}${table}.${head}` : isFirst ? `${first ? '' : '-'}${table}.${head}` : null
  return (
    <th
      scope="col"
      class={isNumber ? 'number' : undefined}
      aria-sort={own === null ? undefined : own.isDown ? 'descending' : 'ascending'}
    >
      {by === undefined ? (
        head
      ) : (
        <button type="button" class="sort" onClick={() => go(hrefWith({ sort: next }), { stays: true })}>
          {head}
          <span aria-hidden="true">{own === null ? '' : own.isDown ? ' ▼' : ' ▲'}</span>
        </button>
      )}
    </th>
  )
}

interface RowProps<Row> {
  readonly row: Row
  readonly columns: readonly Column<Row>[]
}

/** Rendered anew when it is another row, or what its cells read of the store has changed, and not with each change of its table. */
const Row = <Data,>({ row, columns }: RowProps<Data>) =>
  useMemo(() => <Cells row={row} columns={columns} />, [row, columns])

const Cells = <Data,>({ row, columns }: RowProps<Data>) => (
  <tr>
    {columns.map(({ head, cell, isNumber, isName }) => {
      const Cell = isName ? 'th' : 'td'
      return (
        <Cell
          key={head}
          scope={isName ? 'row' : undefined}
          data-label={head}
          class={isNumber ? 'number' : undefined}
        >
          {cell(row)}
        </Cell>
      )
    })}
  </tr>
)
