import type { ComponentChildren } from 'preact'
import { Panel } from './panel.tsx'

export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => ComponentChildren
  readonly isNumber?: boolean
}

interface TableProps<Row> {
  readonly title: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  /** What is said where there is no row. */
  readonly empty: string
  /** What a row is known by, where rows change places. */
  readonly keyOf?: (row: Row) => string
  readonly children?: ComponentChildren
}

/** A table with its title; on a phone each row is a card. */
export const Table = <Row,>({ title, rows, columns, empty, keyOf, children }: TableProps<Row>) => (
  <Panel title={title} wide>
    {rows.length === 0 ? (
      <p class="muted">{empty}</p>
    ) : (
      <table class="cards">
        <thead>
          <tr>
            {columns.map(({ head, isNumber }) => (
              <th key={head} scope="col" class={isNumber ? 'number' : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={keyOf?.(row) ?? i}>
              {columns.map(({ head, cell, isNumber }) => (
                <td key={head} data-label={head} class={isNumber ? 'number' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    )}
    {children}
  </Panel>
)
