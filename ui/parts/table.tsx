import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import { useSteady } from '../steady.tsx'
import { Panel } from './panel.tsx'
import { Head, orderOf, SortChoice, sortedBy } from './sorting.tsx'

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
      {rows.length > 1 && <SortChoice columns={columns} table={name} order={order} />}
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
