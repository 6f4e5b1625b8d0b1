import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, Readable, type Transform } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'

export const hasBody = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'

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

/** Named in the answer to any other encoding. */
export const readCodings = 'gzip, deflate, br, zstd'

/** Encodings of one body: each further one multiplies what a byte can become. */
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
 * The bytes of a request's body, decoded; the request itself where nothing is to decode. Asks the client to
 * send them. Throws `unsupported_encoding`; the stream fails with `invalid_encoding` when the bytes are not
 * in the encoding. The reader sets limits: no more is decoded than is read.
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

/**
 * Requests whose clients wait for `100 Continue` before they send the body, with the response that sends it.
 */
const asking = new WeakMap<IncomingMessage, ServerResponse>()

/**
 * `Expect: 100-continue`: Node would have the body sent at once, and a refusal that is certain from the
 * headers alone (no key, too large, a wrong type) would come in the middle of it. `100 Continue` is sent when
 * the reading begins.
 */
export const installContinue = (app: FastifyInstance): void => {
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    asking.set(request, response)
    app.server.emit('request', request, response)
  })
}

/** Before a body is read. */
const askForBody = (raw: IncomingMessage): void => {
  const response = asking.get(raw)
  if (response === undefined) return
  asking.delete(raw)
  if (!response.headersSent) response.writeContinue()
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The handler takes the body from the connection, by `bodyStream`. */
    readsBody: boolean
  }
}

/** For scopes whose handlers read bodies that are too long to be held. */
export const leaveBodiesUnparsed = (scope: FastifyInstance): void => {
  scope.addHook('onRequest', (request, _reply, done) => {
    request.readsBody = true
    done()
  })
}

/**
 * Gives the parsers of this server bodies without their encodings, and asks for bodies that clients hold
 * back.
 */
export const installBodyEncoding = (app: FastifyInstance): void => {
  app.decorateRequest('readsBody', false)
  installContinue(app)
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { raw } = request
    const isPlain = raw.headers['content-encoding'] === undefined && raw.headers.expect === undefined
    // The body of a GET is not read.
    if (isPlain || request.readsBody || !hasBody(raw) || isGet(raw)) return done(null, payload)
    if (isRefused(request)) return done(null, payload)
    const body = bodyStream(raw)
    if (body !== raw) reply.raw.once('close', () => body.destroy())
    done(null, body)
  })
}

const isGet = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD'

/** By Fastify, before anything of the body has come. */
const isRefused = ({ headers, mediaType, routeOptions, server }: FastifyRequest): boolean =>
  Number(headers['content-length']) > routeOptions.bodyLimit! ||
  !(server.hasContentTypeParser(mediaType ?? '') || server.hasContentTypeParser(''))
