import type { VerdictKind } from './verdict.ts'

/** Turns a table of verdicts with their codes round, for looking codes up. */
export const kindByName = (
  table: Partial<Record<VerdictKind, readonly string[]>>,
): ReadonlyMap<string, VerdictKind> =>
  new Map(
    Object.entries(table).flatMap(([kind, names]) => names.map(name => [name, kind as VerdictKind] as const)),
  )
