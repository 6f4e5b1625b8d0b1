/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly text: string
}

const headOf = (text: string): { status: number; headers: Map<string, string> } => {
  const [line = '', ...lines] = text.split('\r\n')
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(line) ?? []
  if (status === undefined) throw new Error(`no answer of HTTP: ${JSON.stringify(line.slice(0, 80))}`)
  const pairs = lines.map((header): [string, string] => {
    const at = header.indexOf(':')
    return [header.slice(0, at).toLowerCase(), header.slice(at + 1).trim()]
  })
  return { status: Number(status), headers: new Map(pairs) }
}

/** The body at the beginning of `bytes` and what it takes; null while it is not whole. */
const chunkedIn = (bytes: Buffer): { text: string; length: number } | null => {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return null
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (bytes.length < next) return null
    if (size === 0) return { text: Buffer.concat(parts).toString(), length: next }
    parts.push(bytes.subarray(lineEnd + 2, next - 2))
    at = next
  }
}

/** The whole answers at the beginning of `bytes`. `isBodiless` says of each whether it was to a HEAD. */
export const answersIn = (bytes: Buffer, isBodiless: (index: number) => boolean): WireAnswer[] => {
  const answers: WireAnswer[] = []
  for (let at = 0; at < bytes.length; ) {
    const headEnd = bytes.indexOf('\r\n\r\n', at)
    if (headEnd < 0) break
    const { status, headers } = headOf(bytes.toString('latin1', at, headEnd))
    const rest = bytes.subarray(headEnd + 4)
    if (status === 100) {
      at = headEnd + 4
      continue
    }
    const hasNone = isBodiless(answers.length) || status === 204 || status === 304
    const length = hasNone ? 0 : Number(headers.get('content-length') ?? 0)
    const isChunked = !hasNone && headers.get('transfer-encoding') === 'chunked'
    const body = isChunked ? chunkedIn(rest) : { text: rest.toString('utf8', 0, length), length }
    if (body === null || rest.length < body.length) break
    answers.push({ status, headers, text: body.text })
    at = headEnd + 4 + body.length
  }
  return answers
}
