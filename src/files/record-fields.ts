/** The fields of a file's record, and what each holds. Times are Unix ms. */
export const fileRecordFields = {
  tenant: 'whose it is; alone as long as the bytes arrive',
  purpose: 'batch, batch_output or what the client named',
  filename: 'as the client wrote it',
  bytes: 'how many it has',
  created: 'when its bytes were durable',
  expires: 'when it is removed; absent for a file that is kept until it is deleted',
  deleted: '1 once nobody is to see it any more',
  refs: 'batches that read it: it is not removed under them',
} as const satisfies Readonly<Record<string, string>>

/** The fields of an upload's record, and what each holds. Times are Unix ms. */
export const uploadRecordFields = {
  tenant: 'whose it is',
  status: 'pending, completed or cancelled',
  purpose: 'that of its file',
  filename: 'that of its file',
  bytes: 'what its parts must come to',
  received: 'what they come to so far',
  created: 'when it was made',
  expires: 'when it takes no more parts',
  file_ttl: 'ms that its file lives; absent for one that is kept until it is deleted',
  deleted: '1 once it is being removed',
} as const satisfies Readonly<Record<string, string>>
