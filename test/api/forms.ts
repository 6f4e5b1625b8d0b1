import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { request } from 'node:http'
import type { Answer, Call, TestApi } from './test-api.ts'

/** A part of a form, as it goes over the wire. */
export interface FormPart {
  readonly name: string
  readonly value: string | Uint8Array
  /** Makes it a file. */
  readonly filename?: string
}

export const boundary = 'baton-test-boundary'
export const formHeaders = { 'content-type': `multipart/form-data; boundary=${boundary}` }

const headOf = ({ name, filename }: FormPart): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${
    filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: application/octet-stream`
  }\r\n\r\n`

export const formOf = (parts: readonly FormPart[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(part => [Buffer.from(headOf(part)), Buffer.from(part.value), Buffer.from('\r\n')]),
    Buffer.from(`--${boundary}--\r\n`),
  ])

export const file = (value: string | Uint8Array, filename = 'a.jsonl'): FormPart => ({
  name: 'file',
  value,
  filename,
})
export const field = (name: string, value: string): FormPart => ({ name, value })

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Posts a form; in chunks without a length where asked for. */
export const postForm = async (
  api: { readonly url: string },
  path: string,
  body: readonly FormPart[] | Buffer,
  { headers = {}, isChunked = false }: { headers?: Call['headers'] & object; isChunked?: boolean } = {},
): Promise<Answer> => {
  const bytes = Buffer.isBuffer(body) ? body : formOf(body)
  const response = await fetch(api.url + path, {
    method: 'POST',
    headers: { ...formHeaders, ...headers },
    ...(isChunked ? { body: inChunks(bytes), duplex: 'half' } : { body: new Uint8Array(bytes) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
}

const inChunks = (bytes: Buffer): ReadableStream<Uint8Array> =>
  ReadableStream.from(
    Array.from({ length: Math.ceil(bytes.length / 1_000) }, (_, i) =>
      bytes.subarray(i * 1_000, (i + 1) * 1_000),
    ),
  )

/** As clients do that send all of their request before they look for an answer. */
export const postBlindly = async (
  api: { readonly url: string },
  path: string,
  body: Buffer,
  headers: Record<string, string | number> = { 'content-length': body.length },
): Promise<{ readonly status: number; readonly json: { readonly error: object } }> => {
  const { hostname, port } = new URL(api.url)
  const sent = request({ hostname, port, path, method: 'POST', headers: { ...formHeaders, ...headers } })
  const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', response => {
      // Nothing of it is read until the request is out.
      void written.then(async () => {
        response.setEncoding('utf8')
        resolve({ status: response.statusCode!, text: (await response.toArray()).join('') })
      }, reject)
    })
  })
  const written = (async () => {
    for (let at = 0; at < body.length; at += 65_536) {
      const chunk = body.subarray(at, at + 65_536)
      await new Promise<void>((resolve, reject) =>
        sent.write(chunk, error => (error ? reject(error) : resolve())),
      )
    }
    sent.end()
  })()
  const { status, text } = await answer
  return { status, json: JSON.parse(text) }
}

/** What is left in Redis and in the blob store: nothing, where all was cleared away. */
export const traces = async ({ redis, prefix, blobDir }: TestApi): Promise<readonly string[]> => {
  const keys = await redis.keys(`${prefix}:*`)
  const blobs = (await readdir(blobDir, { recursive: true })).filter(name => name !== '.tmp')
  return [...keys.filter(key => /\}:(?:fs?|up?|purge)(?::|$)|\{files\}/.test(key)), ...blobs]
}
