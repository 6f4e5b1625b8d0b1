import type { ByteRange } from '../../files/blobs/blob-store.ts'

/**
 * The part that a `Range` header asks for (RFC 9110), of something of `size` bytes. Null: all of it, also for several
 * ranges and other units, which a server is free to ignore.
 */
export const parseRange = (header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null => {
  const range = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header ?? '')
  if (range === null) return null
  const [, first = '', last = ''] = range
  if (first === '' && last === '') return null
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  if (last !== '' && Number(last) < Number(first)) return null
  if (Number(first) >= size) return 'unsatisfiable'
  return { start: Number(first), end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

/** Whether a range begins where the bytes end. */
export const beginsAt = (header: string | undefined, size: number): boolean =>
  Number(/^bytes=\s*(\d+)-/.exec(header ?? '')?.[1] ?? Number.NaN) === size
