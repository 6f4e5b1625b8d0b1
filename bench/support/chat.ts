import { type Dispatcher, Pool } from 'undici'
import { model } from './deployment.ts'

/** What every call asks for: about 270 bytes, a short prompt. */
export const chatPath = '/v1/chat/completions'
export const chatBody = { model, messages: [{ role: 'user', content: 'x'.repeat(200) }] }
export const chatText = JSON.stringify(chatBody)

/** The same as a job of the native API. */
export const jobPath = '/v1/jobs'
export const jobText = JSON.stringify({ endpoint: chatPath, body: chatBody })

export interface Client {
  /** Posts JSON; rejects when the status is another than `expected`. */
  post(path: string, text: string, expected: number): Promise<string>
  get(path: string, more?: Readonly<Record<string, string>>): Promise<string>
  /** Posts `count` times over all connections at once. */
  postMany(count: number, path: string, text: string, expected: number): Promise<void>
  close(): Promise<void>
}

/** Works `count` times, on `lanes` at a time. */
export const inLanes = async (
  lanes: number,
  count: number,
  work: (index: number) => Promise<void>,
): Promise<void> => {
  let next = 0
  const keepWorking = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: lanes }, keepWorking))
}

/** A client that keeps its connections, each with one request at a time. `more`: headers of all its requests. */
export const createClient = (
  url: string,
  connections: number,
  more: Readonly<Record<string, string>> = {},
): Client => {
  const pool = new Pool(url, { connections, pipelining: 1 })
  const headers = { 'content-type': 'application/json', authorization: 'Bearer bench', ...more }

  const textOf = async (response: Dispatcher.ResponseData, path: string, expected: number) => {
    const text = await response.body.text()
    if (response.statusCode !== expected) throw new Error(`${path} answered ${response.statusCode}`)
    return text
  }
  const post: Client['post'] = async (path, body, expected) =>
    textOf(await pool.request({ path, method: 'POST', headers, body }), path, expected)

  return {
    post,
    get: async (path, own = {}) =>
      textOf(await pool.request({ path, method: 'GET', headers: { ...headers, ...own } }), path, 200),
    postMany: (count, path, text, expected) =>
      inLanes(connections, count, async () => void (await post(path, text, expected))),
    close: () => pool.close(),
  }
}
