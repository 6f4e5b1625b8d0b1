/** The keys that one object of a JSON text has twice, at whatever depth: a parser would keep the last in silence. */
export const doubledKeys = (json: string): string[] => {
  const open: (Set<string> | null)[] = []
  const doubled: string[] = []
  for (const [token, key] of json.matchAll(/"((?:[^"\\]|\\.)*)"(?=\s*:)|"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(null)
    else if (token === '}' || token === ']') open.pop()
    else if (key !== undefined) {
      const seen = open.at(-1)!
      if (seen.has(key)) doubled.push(key)
      seen.add(key)
    }
  }
  return doubled
}
