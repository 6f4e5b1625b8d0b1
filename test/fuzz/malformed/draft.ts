import type { DescribedRoute } from '../../api/openapi/document.ts'

/** A request before it is bytes, so that faults can be put into each part of it. */
export interface Draft {
  readonly route: DescribedRoute
  method: string
  /** Path and query, as they go over the wire. */
  target: string
  version: string
  headers: [name: string, value: string][]
  body: Buffer | null
  /** How the body's end is told. */
  framing: 'length' | 'chunks'
}

/** What to do once everything is written. */
export type Ending =
  /** Wait for the answer. */
  | 'wait'
  /** Wait for a moment, then say that no more will come. */
  | 'end'
  /** Go without a word. */
  | 'cut'

/** Bytes for one connection, and what may come back. */
export interface Exchange {
  readonly fault: string
  readonly bytes: Buffer
  readonly ending: Ending
  readonly drafts: readonly Draft[]
  /** Each draft is due an answer, in order; otherwise nobody can tell what the server makes of the bytes. */
  readonly isCertain: boolean
}

export const setHeader = (draft: Draft, name: string, value: string): void => {
  draft.headers = [...draft.headers.filter(([other]) => other !== name), [name, value]]
}

const asChunks = (body: Buffer): Buffer => {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; at += 1_000) {
    const part = body.subarray(at, at + 1_000)
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

export const headOf = ({ method, target, version, headers }: Draft, more: readonly string[] = []): Buffer => {
  const lines = [`${method} ${target} ${version}`, ...headers.map(([n, v]) => `${n}: ${v}`), ...more]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

export const bytesOf = (draft: Draft): Buffer => {
  const { body, framing } = draft
  if (body === null) return headOf(draft)
  return framing === 'length'
    ? Buffer.concat([headOf(draft, [`content-length: ${body.length}`]), body])
    : Buffer.concat([headOf(draft, ['transfer-encoding: chunked']), asChunks(body)])
}
