import type { IncomingMessage } from 'node:http'
import { pipeline, Readable, type Transform } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'
import { BatonError } from '../../domain/errors.ts'
import { askForBody } from './expect-continue.ts'

/** What HTTP lets zstd take for its window (RFC 9659): without a limit a few bytes could claim 128 MB. */
const zstdWindow = { params: { [constants.ZSTD_d_windowLogMax]: 23 } }

type Decode = (source: AsyncIterable<Buffer>) => AsyncIterable<Buffer>

/** What goes wrong is thrown where the decoder is read. */
const through =
  (create: () => Transform): Decode =>
  source => {
    const decoder = create()
    pipeline(source, decoder, () => undefined)
    return decoder
  }

/** `deflate` is zlib's format by its RFC, and the bare one of clients that took the name at its word. */
async function* inflateEither(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const chunks = source[Symbol.asyncIterator]()
  const first = await chunks.next()
  if (first.done) return
  const all = async function* () {
    yield first.value
    yield* { [Symbol.asyncIterator]: () => chunks }
  }
  yield* through((first.value[0]! & 0x0f) === 8 ? createInflate : createInflateRaw)(all())
}

const decoders: Readonly<Record<string, Decode>> = {
  gzip: through(() => createGunzip()),
  'x-gzip': through(() => createGunzip()),
  deflate: inflateEither,
  br: through(() => createBrotliDecompress()),
  zstd: through(() => createZstdDecompress(zstdWindow)),
}

/** For the answer to one that is none of them. */
export const readCodings = 'gzip, deflate, br, zstd'

/** Of one request: every further one multiplies what a byte can become. */
const maxCodings = 2

/** The last that was applied comes first. Throws `unsupported_encoding`. */
const decodersOf = (header: string | string[] | undefined): Decode[] => {
  if (header === undefined) return []
  const named = String(header)
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && name.toLowerCase() !== 'identity')
  const steps = named.map(name => {
    const coding = name.toLowerCase()
    if (!Object.hasOwn(decoders, coding)) throw unsupported(`\`content-encoding: ${name.slice(0, 40)}\``)
    return decoders[coding]!
  })
  if (steps.length > maxCodings) throw unsupported(`More than ${maxCodings} encodings in one another`)
  return steps.toReversed()
}

const unsupported = (what: string): BatonError =>
  new BatonError('unsupported_encoding', `${what} cannot be read; send ${readCodings}, or the body as it is.`)

const undecodable = (cause: unknown): BatonError =>
  new BatonError(
    'invalid_encoding',
    'The body is not in the encoding that content-encoding names, or broke off.',
    {
      cause,
    },
  )

export interface BodyStream extends Readable {
  /** Before it was decoded. Fastify compares it with content-length. */
  receivedEncodedLength?: number
}

/**
 * The bytes of a request's body, decoded; the request itself where nothing is to decode. Asks the client to send them.
 * Throws where the encoding is none that is read; ends with BatonError when the bytes are not in it. Limits are for
 * whoever reads: no more is decoded than is read.
 */
export const bodyStream = (raw: IncomingMessage): BodyStream => {
  const steps = decodersOf(raw.headers['content-encoding'])
  askForBody(raw)
  return steps.length === 0 ? raw : decode(raw, steps)
}

const decode = (raw: IncomingMessage, steps: readonly Decode[]): BodyStream => {
  const encoded = async function* () {
    // Left undestroyed: the answer goes out on the same connection.
    for await (const chunk of raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      decoded.receivedEncodedLength! += chunk.length
      yield chunk
    }
  }
  const told = async function* () {
    try {
      yield* steps.reduce((source, step) => step(source), encoded() as AsyncIterable<Buffer>)
    } catch (error) {
      throw undecodable(error)
    }
  }
  raw.on('error', () => undefined)
  const decoded: BodyStream = Readable.from(told(), { objectMode: false })
  decoded.receivedEncodedLength = 0
  return decoded
}
