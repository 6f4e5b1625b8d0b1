import type { BatchRecord } from '../../batches/record.ts'
import type { NoticeRecord } from '../../batches/store.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { isBatchId, isNoticeId } from '../../redis/keys.ts'
import type { DeadLetter } from '../../webhooks/dead-letters.ts'
import { headReader } from '../http/find-owned.ts'
import type { ApiParts } from '../parts.ts'

/** Whose webhook it is: a job, a batch, or a notice of a batch. */
export type LetterRecord = JobRecord | BatchRecord | NoticeRecord

export interface FoundLetter {
  readonly letter: DeadLetter
  readonly record: LetterRecord
}

export interface LetterFilter {
  /** Null: of all tenants. */
  readonly tenant: string | null
  /** The origin of the webhook's URL. */
  readonly receiver?: string | undefined
  /** Why it was given up, as the letter says. */
  readonly reason?: string | undefined
  /** Given up from then on, in Unix ms. */
  readonly sinceMs: number
}

export interface LetterPage {
  /** Newest first. */
  readonly found: readonly FoundLetter[]
  /** The letter behind which the next page begins; null at the end. A page may be short where little matches. */
  readonly next: DeadLetter | null
}

/** Records that one request reads at most. */
const maxScanned = 2_000

export const readLetterRecord =
  ({ store, batches }: Pick<ApiParts, 'store' | 'batches'>) =>
  (id: string): Promise<LetterRecord | null> => {
    if (isNoticeId(id)) return batches.readNotice(id)
    return isBatchId(id) ? batches.read(id) : headReader(store)(id)
  }

/** The receiver alone: what else stands in a URL may be a secret. */
export const receiverOf = ({ webhook }: LetterRecord): string =>
  URL.parse(webhook?.url ?? '')?.origin ?? 'unknown'

/** Up to `limit` dead letters that match, from behind `after` on. Letters whose record is gone are forgotten. */
export const readLetterPage = async (
  parts: Pick<ApiParts, 'store' | 'batches' | 'deadLetters'>,
  { tenant, receiver, reason, sinceMs }: LetterFilter,
  after: DeadLetter | null,
  limit: number,
): Promise<LetterPage> => {
  const { deadLetters } = parts
  const read = readLetterRecord(parts)
  const matches = (record: LetterRecord): boolean =>
    (receiver === undefined || receiverOf(record) === receiver) &&
    (reason === undefined || record.delivery?.reason === reason)

  const found: FoundLetter[] = []
  let place = after
  for (let scanned = 0; scanned < maxScanned; ) {
    // One more than asked for shows whether there is a next page.
    const letters = await deadLetters.list(tenant, place, limit + 1)
    const records = await Promise.all(letters.map(({ id }) => read(id)))
    for (const [i, letter] of letters.entries()) {
      const record = records[i] ?? null
      if (letter.diedAtMs < sinceMs) return { found, next: null }
      // A batch can be deleted, and its letter with it.
      if (record === null) await deadLetters.forget(tenant, letter)
      else if (matches(record)) {
        if (found.length === limit) return { found, next: place }
        found.push({ letter, record })
      }
      place = letter
    }
    if (letters.length <= limit) return { found, next: null }
    scanned += letters.length
  }
  return { found, next: place }
}
