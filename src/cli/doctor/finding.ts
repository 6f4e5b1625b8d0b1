/** `skipped`: it could not be looked at, or there is nothing of the kind. */
export type FindingVerdict = 'ok' | 'warn' | 'bad' | 'skipped'

/** One thing that was looked at, and what to do where it is not as it should be. */
export interface Finding {
  readonly area: 'config' | 'redis' | 'clock' | 'processes' | 'storage' | 'providers' | 'webhooks'
  /** What of the area: a provider's name, a server, a directory. */
  readonly subject: string
  readonly verdict: FindingVerdict
  readonly found: string
  /** What a person should do; null where nothing is to be done. */
  readonly remedy: string | null
}

type Told = readonly [subject: string, found: string, remedy?: string]

/** Findings of one area. */
export const findingsOf = (area: Finding['area']) => {
  const tell =
    (verdict: FindingVerdict) =>
    (...[subject, found, remedy]: Told): Finding => ({
      ...{ area, subject, verdict, found },
      remedy: remedy ?? null,
    })
  return { ok: tell('ok'), warn: tell('warn'), bad: tell('bad'), skipped: tell('skipped') }
}
