/** A path with those parameters that are not empty. */
export const withQuery = (
  path: string,
  query: Readonly<Record<string, string | null | undefined>>,
): string => {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value) given.set(name, value)
  const text = given.toString()
  return text === '' ? path : `${path}?${text}`
}
