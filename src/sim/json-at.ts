/** The value at a path of keys in parsed JSON of unknown shape, or undefined where the path ends early. */
export function jsonAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Record<string | number, unknown>)[key]
  }
  return current
}

export const stringAt = (value: unknown, ...path: readonly (string | number)[]): string | null => {
  const found = jsonAt(value, ...path)
  return typeof found === 'string' ? found : null
}

export const listAt = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
  const found = jsonAt(value, ...path)
  return Array.isArray(found) ? found : []
}
