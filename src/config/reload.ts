import type { ConfigChanges } from './changes.ts'

/** What came of reading the config anew. */
export interface ReloadReport {
  /** Of the config that serves now; see `versionOf`. */
  readonly version: string
  readonly changes: ConfigChanges
}

/**
 * Reads the config of this process anew, and lets the others do the same; with `isTrial` it only tells what that would change. Throws
 * ConfigError, and then nothing has changed.
 */
export type ReloadConfig = (isTrial?: boolean) => Promise<ReloadReport>
