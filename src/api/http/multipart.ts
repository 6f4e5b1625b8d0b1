import type { IncomingMessage } from 'node:http'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { bodyStream, leaveBodiesUnparsed } from './body-stream.ts'

/** Names and values of a form are words; nothing of it but the file is long. */
const limits = { fieldSize: 4_096, fields: 20, parts: 20, headerPairs: 20, headerSize: 8_192 }

/** The file of a form, while it arrives. */
export interface IncomingFile {
  /** Without folders; null when the client named none. */
  readonly filename: string | null
  /** Throws when the form turns out to be malformed or the client goes. */
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface Form<Taken> {
  readonly fields: ReadonlyMap<string, string>
  /** What `take` made of the file; null when none came. */
  readonly file: Taken | null
}

export type TakeFile<Taken> = (file: IncomingFile, before: ReadonlyMap<string, string>) => Promise<Taken>

/** Lets only forms into this scope, and leaves their bodies to `readForm`. */
export const acceptForms = (scope: FastifyInstance): void => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('multipart/form-data', (_request, _payload, done) => done(null))
  scope.addContentTypeParser('*', (_request, _payload, done) => done(notAForm()))
  leaveBodiesUnparsed(scope)
}

/**
 * Reads a form with one file as it arrives, its parts in any order. `take` is given the file with the fields
 * that came before it, and reads it to its end. Rejects once `take` has settled; what the client still sends
 * is dropped, so that it comes to read the answer.
 */
export const readForm = <Taken>(
  { raw }: Pick<FastifyRequest, 'raw'>,
  fileField: string,
  take: TakeFile<Taken>,
): Promise<Form<Taken>> => {
  const parser = createParser(raw, fileField)
  const body = bodyStream(raw)
  const fields = new Map<string, string>()
  let stream: BusboyFileStream | null = null
  let taken: Promise<Taken> | null = null
  let hasFailed = false

  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      if (hasFailed) return
      hasFailed = true
      body.unpipe(parser)
      if (body !== raw) body.destroy()
      raw.resume()
      stream?.destroy(error)
      // Not before `take` has cleared away what it wrote.
      void Promise.allSettled([taken]).then(() => reject(error))
    }

    parser.on('field', (name, value, _nameCut, isCut) => {
      if (isCut) fail(refused(name, `'${name}' is longer than ${limits.fieldSize} bytes.`))
      else if (fields.has(name)) fail(refused(name, `'${name}' is given twice.`))
      else fields.set(name, value)
    })
    parser.on('file', (name, incoming, filename) => {
      // Also when `take` leaves it early, for a reason of its own; faults of the form come from the parser.
      incoming.on('error', () => undefined)
      // What the parser has already been given, it goes on with.
      if (hasFailed) return
      if (name !== fileField) return fail(refused(name, `'${name}' must not be a file.`))
      if (taken !== null) return fail(refused(name, `Send one '${name}', not several.`))
      stream = incoming
      taken = take({ filename: filename || null, bytes: incoming }, fields)
      taken.catch(fail)
    })
    parser.once('partsLimit', () => fail(malformed()))
    parser.once('fieldsLimit', () => fail(malformed()))
    parser.on('error', error => fail(malformed(error)))
    parser.once('finish', () => {
      if (!hasFailed) void Promise.resolve(taken).then(file => resolve({ fields, file }), reject)
    })

    raw.on('error', () => undefined)
    if (body !== raw) body.on('error', fail)
    // All of it may have come, and be lost unread when the client goes.
    const close = (): void => (raw.readableEnded ? undefined : fail(malformed()))
    // The client may be gone already: then no event follows.
    if (raw.destroyed) return close()
    raw.once('close', close)
    body.pipe(parser)
  })
}

const createParser = (raw: IncomingMessage, fileField: string): BusboyInstance => {
  const type = raw.headers['content-type']
  if (type === undefined) throw notAForm()
  try {
    return new Busboy({
      headers: { ...raw.headers, 'content-type': type },
      limits,
      // The field decides, not the type that the client guessed; a stray file must not be held in memory as
      // text.
      isPartAFile: (name, _type, filename) => name === fileField || filename !== undefined,
    })
  } catch (error) {
    throw malformed(error)
  }
}

const notAForm = (): BatonError => new BatonError('unsupported_media_type', 'Send multipart/form-data.')

const refused = (param: string, message: string): BatonError =>
  new BatonError('invalid_request', message, { param })

const malformed = (cause?: unknown): BatonError =>
  new BatonError('invalid_multipart', 'The body is not well-formed multipart/form-data, or broke off.', {
    cause,
  })
