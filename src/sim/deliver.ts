import type { ServerResponse } from 'node:http'
import type { Outcome } from './call-stats.ts'

/** A whole HTTP answer, before anything is done to it on the wire. */
export interface Reply {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

export const jsonReply = (status: number, headers: Record<string, string>, body: unknown): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

export const htmlReply = (status: number, title: string): Reply => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n</body>\r\n</html>\r\n`,
})

/** One call's fate, ready to be put on the wire. */
export interface Course {
  readonly outcome: Outcome
  /** Null where nothing is ever answered. */
  readonly reply: Reply | null
  /** Before the first byte of the answer. */
  readonly delayMs: number
  /** Before the second half of a slow body. */
  readonly bodyDelayMs: number
}

/** Runs at once when there is nothing to wait for, and never once the client has gone. */
export function after(delayMs: number, res: ServerResponse, run: () => void): void {
  if (delayMs === 0) {
    run()
    return
  }
  // A stream waits often: a listener for each piece would stay until its end.
  const stop = () => clearTimeout(timer)
  const timer = setTimeout(() => {
    res.off('close', stop)
    run()
  }, delayMs)
  res.once('close', stop)
}

export function send(res: ServerResponse, { status, headers, body }: Reply): void {
  headers['content-length'] = String(Buffer.byteLength(body))
  res.writeHead(status, headers)
  res.end(body)
}

/** Promises the whole body, sends half of it, and lets the caller say what becomes of the rest. */
function sendHalf(res: ServerResponse, { status, headers, body }: Reply, then: (rest: Buffer) => void): void {
  const bytes = Buffer.from(body)
  const half = bytes.length >> 1
  headers['content-length'] = String(bytes.length)
  res.writeHead(status, headers)
  res.write(bytes.subarray(0, half), () => then(bytes.subarray(half)))
}

function put(res: ServerResponse, reply: Reply, { outcome, bodyDelayMs }: Course): void {
  if (outcome === 'reset-mid-body') {
    sendHalf(res, reply, () => res.socket?.resetAndDestroy())
  } else if (outcome === 'slow-body') {
    sendHalf(res, reply, rest => after(bodyDelayMs, res, () => res.end(rest)))
  } else if (outcome === 'truncated') {
    send(res, { ...reply, body: reply.body.slice(0, reply.body.length >> 1) })
  } else {
    send(res, reply)
  }
}

/** Answers, or fails to, in the way that the course lays down. */
export function deliver(res: ServerResponse, course: Course): void {
  const { outcome, reply, delayMs } = course
  if (reply !== null) after(delayMs, res, () => put(res, reply, course))
  else if (outcome === 'reset') after(delayMs, res, () => res.socket?.resetAndDestroy())
}
