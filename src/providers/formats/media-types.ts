/** Unofficial names. */
const officialNames: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'image/pjpeg': 'image/jpeg',
  'image/x-png': 'image/png',
  'application/x-pdf': 'application/pdf',
}

/** How the bytes of each type begin, in base64. */
const signatures: readonly (readonly [start: RegExp, type: string])[] = [
  [/^iVBORw0KGgo/, 'image/png'],
  [/^\/9j\//, 'image/jpeg'],
  [/^R0lGOD/, 'image/gif'],
  [/^UklGR.{6}XRUJQ/, 'image/webp'],
  [/^JVBERi/, 'application/pdf'],
]

/** In lower case, without parameters, by its official name. */
export const officialMediaType = (type: string): string => {
  const bare = type.split(';')[0]!.trim().toLowerCase()
  return officialNames[bare] ?? bare
}

/**
 * The type of the data, by its first bytes where they show it: vendors refuse an image whose bytes are of
 * another type than is named, and clients often name one type for all.
 */
export const mediaTypeOf = (type: string, base64: string): string =>
  signatures.find(([start]) => start.test(base64))?.[1] ?? officialMediaType(type)

export interface InlineData {
  readonly mediaType: string
  readonly data: string
}

/** The data in an address that holds it itself; null for other addresses, and where it is not in base64. */
export const inlineData = (url: string): InlineData | null => {
  const comma = url.indexOf(',')
  if (!/^data:/i.test(url) || comma < 0) return null
  const head = url.slice('data:'.length, comma)
  if (!/;\s*base64\s*$/i.test(head)) return null
  const data = url.slice(comma + 1)
  return { mediaType: mediaTypeOf(head, data.slice(0, 32)), data }
}

export const isInlinePdf = (url: unknown): boolean => /^data:application\/(?:x-)?pdf\s*;/i.test(String(url))
