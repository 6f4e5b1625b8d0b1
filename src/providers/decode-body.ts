import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib'

type Decode = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const unzip = promisify(gunzip)
const unpackZstd = promisify(zstdDecompress)
const inflateZlib = promisify(inflate)
const inflateBare = promisify(inflateRaw)

/** zlib's format begins with its method, 8, and a check of its first two bytes; servers also send the bare one. */
const isZlib = (bytes: Buffer): boolean =>
  (bytes[0]! & 0x0f) === 8 && bytes.length > 1 && bytes.readUInt16BE(0) % 31 === 0

const decoders: Readonly<Record<string, Decode>> = {
  gzip: unzip,
  'x-gzip': unzip,
  deflate: (bytes, options) => (isZlib(bytes) ? inflateZlib : inflateBare)(bytes, options),
  br: promisify(brotliDecompress),
  zstd: unpackZstd,
}

/** What compressed bytes begin with, and no JSON does. */
const magics: readonly (readonly [magic: Buffer, decode: Decode])[] = [
  [Buffer.from([0x1f, 0x8b, 0x08]), unzip],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), unpackZstd],
]
/** Some proxies compress what is compressed already, and name it once or not at all. */
const maxUnnamed = 2

const unnamedOf = (bytes: Buffer): Decode | undefined =>
  magics.find(([magic]) => magic.equals(bytes.subarray(0, magic.length)))?.[1]

const namesOf = (header: string | undefined): string[] =>
  (header ?? '')
    .toLowerCase()
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && name !== 'identity')

/** Whether there is anything to decode; nearly always there is not. */
export const isEncoded = (bytes: Buffer, header: string | undefined): boolean =>
  (header !== undefined && namesOf(header).length > 0) || unnamedOf(bytes) !== undefined

/**
 * Undoes content encodings that were not asked for: some proxies compress whatever the request says, and do not always
 * say so. Rejects with `ERR_BUFFER_TOO_LARGE` past `maxBytes`, so that a small answer cannot unpack into a huge one, with
 * `Z_BUF_ERROR` when the end is missing, and with another error when an encoding is unknown or the bytes are not in it.
 */
export const decodeBody = async (
  bytes: Buffer,
  header: string | undefined,
  maxBytes: number,
): Promise<Buffer> => {
  const options = { maxOutputLength: maxBytes }
  let decoded = bytes
  for (const name of namesOf(header).toReversed()) {
    if (decoded.length === 0) return decoded
    const decode = Object.hasOwn(decoders, name) ? decoders[name] : undefined
    if (!decode) throw new Error('unknown content-encoding')
    decoded = await decode(decoded, options)
  }
  for (let left = maxUnnamed; left > 0; left--) {
    const decode = unnamedOf(decoded)
    if (!decode) break
    decoded = await decode(decoded, options)
  }
  return decoded
}
