import { useRef, useState } from 'preact/hooks'

interface Steady<Row> {
  readonly rows: readonly Row[]
  /** For the element around them. */
  readonly hold: {
    readonly onPointerEnter: () => void
    readonly onPointerLeave: () => void
    readonly onFocusIn: () => void
    readonly onFocusOut: () => void
  }
}

/**
 * Rows keep their places while the pointer or the focus is among them; what is new comes last until it has left. `sort`: what they are
 * sorted by, if a person chose it; another choice moves them at once.
 */
export const useSteady = <Row,>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  sort = '',
): Steady<Row> => {
  const [isUnder, setUnder] = useState(false)
  const [hasFocus, setFocus] = useState(false)
  const order = useRef<readonly string[]>([])
  const sorted = useRef(sort)
  const isAnother = sorted.current !== sort
  sorted.current = sort
  const placeOf = new Map(order.current.map((key, i) => [key, i]))
  const place = (row: Row): number => placeOf.get(keyOf(row)) ?? order.current.length
  const shown = (isUnder || hasFocus) && !isAnother ? rows.toSorted((a, b) => place(a) - place(b)) : rows
  order.current = shown.map(keyOf)
  return {
    rows: shown,
    hold: {
      onPointerEnter: () => setUnder(true),
      onPointerLeave: () => setUnder(false),
      onFocusIn: () => setFocus(true),
      onFocusOut: () => setFocus(false),
    },
  }
}
