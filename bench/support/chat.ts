import { Pool } from 'undici'
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
  /** Posts `count` times over all connections at once. */
  postMany(count: number, path: string, text: string, expected: number): Promise<void>
  close(): Promise<void>
}

/** A client that keeps its connections, each with one request at a time. */
export const createClient = (url: string, connections: number): Client => {
  const pool = new Pool(url, { connections, pipelining: 1 })
  const headers = { 'content-type': 'application/json', authorization: 'Bearer bench' }

  const post: Client['post'] = async (path, body, expected) => {
    const response = await pool.request({ path, method: 'POST', headers, body })
    const text = await response.body.text()
    if (response.statusCode !== expected) throw new Error(`${path} answered ${response.statusCode}`)
    return text
  }

  return {
    post,
    postMany: async (count, path, text, expected) => {
      let left = count
      const keepPosting = async () => {
        while (left-- > 0) await post(path, text, expected)
      }
      await Promise.all(Array.from({ length: connections }, keepPosting))
    },
    close: () => pool.close(),
  }
}
