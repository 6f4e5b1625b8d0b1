import { Agent, FormData, fetch } from 'undici'

/** The API as a client sees it that never repeats anything: every fault is to be seen. */
export interface Api {
  /** The JSON answer; throws with what came instead when its status is another than `expected`. */
  ask<T>(method: string, path: string, options?: AskOptions): Promise<T>
  /** The text of an answer that is 200. */
  read(path: string): Promise<string>
  close(): Promise<void>
}

export interface AskOptions {
  /** An object goes as JSON. */
  readonly body?: object | FormData
  readonly headers?: Readonly<Record<string, string>>
  readonly expected?: number
}

/** More than the longest poll. */
const patienceMs = 70_000

/** Enough for every poll that hangs, at the rates that one machine takes. */
const connections = 512

export const createApi = (url: string): Api => {
  const dispatcher = new Agent({ connections })
  const send = async (method: string, path: string, { body, headers = {}, expected = 200 }: AskOptions) => {
    const isForm = body instanceof FormData
    const response = await fetch(url + path, {
      dispatcher,
      method,
      headers: { ...headers, ...(body && !isForm && { 'content-type': 'application/json' }) },
      ...(body && { body: isForm ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(patienceMs),
    })
    const text = await response.text()
    if (response.status === expected) return text
    throw new Error(`answered ${response.status}: ${text.slice(0, 200)}`)
  }
  return {
    ask: async <T>(method: string, path: string, options: AskOptions = {}) =>
      JSON.parse(await send(method, path, options)) as T,
    read: path => send('GET', path, {}),
    close: () => dispatcher.destroy(),
  }
}
