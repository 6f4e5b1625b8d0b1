/**
 * The fields of a job's record, and what each holds. Fields that are absent have their default: a waiting job is kept small. Times
 * are Unix ms.
 */
export const jobRecordFields = {
  state: 'queued, running, parked, succeeded, failed, cancelled or expired',
  target: 'where it is called next, or was called last: `provider/model`',
  spec: 'what never changes: `<created> <expires> <endpoint> <model>`',
  hop: 'how many targets it has left behind; 0 when absent',
  generation:
    'how often it was given back at this hop: a doorbell of an earlier generation leads nowhere; 0 when absent',
  tenant: '`default` when absent',
  priority: '`high` or `low`; `default` when absent',
  class: '`interactive`, for a request that waits on its connection',
  webhook: 'where its end is announced; JSON',
  metadata: "the client's own; JSON",
  headers: "those of the client's request that go on to the provider; JSON",
  home: 'the account of a provider that it depends on; JSON',
  key: 'the hash of its Idempotency-Key, where its end may set that free',
  retry_of: 'the job that it asks again',
  custom_id: 'what its batch calls it',
  bytes: 'bytes of its line in the input of its batch',
  request: 'a short request body, or the short answer that took its place',
  body: 'a short answer',
  apart: 'the token of the claim that wrote the long answer, which has a key of its own',
  holder: 'the worker that runs it, and since when: `<ms> <token>`, or `<ms> alone <token>`',
  resumes: 'when it goes on: at once, or when it is no longer parked',
  spent: 'calls that counted against its attempts',
  attempts: 'the calls that were made: JSON objects joined by commas',
  moves: 'why it moved where no call says so: `<ms> <hop> <until ms, or 0> <reason> <target>` a line',
  why: 'what it was last parked for; JSON',
  result: 'how it ended, but for the body of the answer; JSON, see `StoredResult`',
  original: "a mirrored sample's: what is known of the original call; JSON",
  mirrored: "a mirrored sample's: what is known of the mirrored call; JSON",
} as const satisfies Readonly<Record<string, string>>

/** How a webhook fares: fields of the record of the job, batch or notice whose webhook it is. */
export const deliveryFields = {
  delivery: 'pending, delivered or dead; absent while nothing is to be announced yet',
  deliveries: 'attempts made; 0 when absent',
  delivery_reason: 'how the last one went',
  delivery_due: 'when the next one is due, or the last one was',
  deliveries_before: 'attempts made before the dead letter was last sent again',
  held: 'since when this attempt is held back, as its receiver takes nothing',
  died: 'when it was given up',
  redelivered: 'when the dead letter was last sent again',
} as const satisfies Readonly<Record<string, string>>
