/** What a client asks for with `Prefer` (RFC 7240). */
export interface Preferences {
  readonly respondAsync: boolean
  /** How long the answer may be held back for; null when not asked. */
  readonly waitSeconds: number | null
}

/** Reads the header; preferences that are unknown or malformed are ignored, as the RFC wants. */
export const parsePrefer = (header: string | readonly string[] | undefined): Preferences => {
  const preferences = String(header ?? '')
    .toLowerCase()
    .split(/[,;]/)
    .map(preference => preference.trim())
  const wait = preferences.map(p => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(p)?.[1]).find(s => s !== undefined)
  return {
    respondAsync: preferences.includes('respond-async'),
    waitSeconds: wait === undefined ? null : Number(wait),
  }
}
