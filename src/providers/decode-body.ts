import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'

const decoders = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const

const isKnown = (encoding: string): encoding is keyof typeof decoders => Object.hasOwn(decoders, encoding)

/**
 * Undoes a content encoding that was not asked for (some proxies compress whatever the request says).
 * Rejects with `ERR_BUFFER_TOO_LARGE` past `maxBytes`, so that a small answer cannot unpack into a huge one,
 * and with another error when the encoding is unknown or the bytes are not in it.
 */
export const decodeBody = async (bytes: Buffer, encoding: string, maxBytes: number): Promise<Buffer> => {
  if (!isKnown(encoding)) throw new Error('unknown content-encoding')
  return decoders[encoding](bytes, { maxOutputLength: maxBytes })
}
