/** Bytes of a blob from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface WriteOptions {
  /** More than this many bytes and the write is given up: throws BlobTooLargeError. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

/** The source had more bytes than `maxBytes`. Nothing of the blob stays behind. */
export class BlobTooLargeError extends Error {
  readonly maxBytes: number
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`)
    this.name = 'BlobTooLargeError'
    this.maxBytes = maxBytes
  }
}

/** There is no such blob. */
export class BlobNotFoundError extends Error {
  readonly key: string
  constructor(key: string) {
    super(`no blob ${key}`)
    this.name = 'BlobNotFoundError'
    this.key = key
  }
}

/** The place itself failed: it is away, full, or refuses. What happened is in `cause`; it may pass. */
export class BlobStoreError extends Error {
  /** Whether there is no room, which others may make. */
  readonly isFull: boolean
  constructor(message: string, cause: unknown, isFull = false) {
    super(message, { cause })
    this.name = 'BlobStoreError'
    this.isFull = isFull
  }
}

/**
 * Where the bytes of files are kept: a directory, or S3. A key is `<group>/<name>`, each of 1 to 64 of `a-z`, `0-9` and
 * `-`, and never comes from a client. Blobs are written once and never changed.
 */
export interface BlobStore {
  /**
   * Resolves when the bytes are durable (fsync, or S3's acknowledgement); before that, nobody can read them. When the
   * source fails, is too long, or `signal` aborts before its end, nothing stays behind. Rejects with the source's error, the
   * signal's reason, BlobTooLargeError, or BlobStoreError. A source that is not read to its end is told so (`return`).
   */
  write(
    key: string,
    source: AsyncIterable<Uint8Array>,
    options?: WriteOptions,
  ): Promise<{ readonly bytes: number }>
  /**
   * The bytes in order, read with backpressure; of a range, as many as the blob has. Rejects, on the first read, with
   * BlobNotFoundError. Ending the iteration early frees what it holds.
   */
  read(key: string, range?: ByteRange): AsyncIterable<Uint8Array>
  /** Removes all blobs of a group. Harmless when there is none. */
  removeGroup(group: string): Promise<void>
  /** Harmless when it is not there. */
  remove(key: string): Promise<void>
  /** Rejects with a message for a person when the place cannot be written to. */
  check(): Promise<void>
  close(): Promise<void>
}

/** No dots and no slashes within: a key can neither leave its directory nor name a hidden file. */
const part = /^[a-z0-9-]{1,64}$/

interface BlobKey {
  readonly group: string
  readonly name: string
}

/** Throws on anything that is not a key: it would be a mistake of ours, since keys never come from clients. */
export const parseBlobKey = (key: string): BlobKey => {
  const [group = '', name = '', ...rest] = key.split('/')
  if (rest.length > 0 || !part.test(group) || !part.test(name)) throw new TypeError('not the key of a blob')
  return { group, name }
}

export const checkGroup = (group: string): string => {
  if (!part.test(group)) throw new TypeError('not a group of blobs')
  return group
}
