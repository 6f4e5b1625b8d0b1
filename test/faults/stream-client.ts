import { expect } from 'vitest'
import { until } from '../../harness/until.ts'
import type { JobView } from '../../src/jobs/view.ts'

/** A reader of one stream, by the bytes that came. */
export interface StreamClient {
  readonly jobId: string
  /** All that it has so far. */
  text(): string
  /** Resolves once so many characters are there. */
  has(characters: number): Promise<void>
  /** Reads no more until it is let go on: its socket fills. */
  pause(): void
  goOn(): void
  /** Resolves with all of it at its end, whether the server ended it or the connection broke. */
  readonly ended: Promise<string>
  /** Cuts the connection. */
  cut(): void
}

const readerOf = async (answering: Promise<Response>, cut: () => void): Promise<StreamClient> => {
  const response = await answering
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
  const decoder = new TextDecoder()
  let text = ''
  let gate = Promise.withResolvers<void>()
  gate.resolve()
  const readAll = async (): Promise<string> => {
    try {
      for await (const chunk of response.body!) {
        text += decoder.decode(chunk, { stream: true })
        await gate.promise
      }
    } catch {
      // What came before the break counts.
    }
    return text
  }
  const ended = readAll()
  return {
    jobId: response.headers.get('x-baton-job-id') ?? '',
    text: () => text,
    has: async characters => {
      await until(() => text.length >= characters)
    },
    pause: () => {
      gate = Promise.withResolvers()
    },
    goOn: () => gate.resolve(),
    ended,
    cut,
  }
}

/** Asks for a stream. The simulated provider counts its calls by `user`. */
export const stream = (
  apiUrl: string,
  { model = 'plain', user = 'user', headers = {} }: { model?: string; user?: string; headers?: object } = {},
): Promise<StreamClient> => {
  const leaving = new AbortController()
  const answering = fetch(`${apiUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, user, stream: true, messages: [{ role: 'user', content: user }] }),
    signal: leaving.signal,
  })
  return readerOf(answering, () => leaving.abort())
}

/** Follows a job's stream behind the event of this id, or from its beginning. */
export const follow = (apiUrl: string, jobId: string, lastEventId?: string): Promise<StreamClient> => {
  const leaving = new AbortController()
  const answering = fetch(`${apiUrl}/v1/jobs/${jobId}/stream`, {
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    signal: leaving.signal,
  })
  return readerOf(answering, () => leaving.abort())
}

/** What a client makes of it: without comments, and without ids of events. */
export const plainText = (text: string): string => text.replace(/^id: .*\n/gm, '').replace(/^:.*\n\n/gm, '')

/** The whole events of what came, and the id of the last one. */
export const wholeEvents = (text: string): { readonly text: string; readonly lastId: string | undefined } => {
  const whole = text.slice(0, text.lastIndexOf('\n\n') + 2)
  return { text: whole, lastId: [...whole.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] }
}

interface Chunk {
  readonly id?: string
  readonly choices?: readonly { readonly delta: { readonly content?: string } }[]
  readonly error?: { readonly code: string }
}

/** A chat's stream as it is meant to be read. */
export interface ReadChat {
  readonly content: string
  /** Of the answers that its chunks belong to. */
  readonly answers: readonly string[]
  readonly errors: readonly string[]
  readonly isDone: boolean
}

export const readChat = (text: string): ReadChat => {
  const data = [...plainText(text).matchAll(/^data: (.*)$/gm)].map(([, one]) => one!)
  const chunks = data.filter(one => one !== '[DONE]').map(one => JSON.parse(one) as Chunk)
  return {
    content: chunks.map(chunk => chunk.choices?.[0]?.delta.content ?? '').join(''),
    answers: [...new Set(chunks.flatMap(chunk => chunk.id ?? []))],
    errors: chunks.flatMap(chunk => chunk.error?.code ?? []),
    isDone: data.at(-1) === '[DONE]' && data.filter(one => one === '[DONE]').length === 1,
  }
}

/** That the reader had all of the job's answer, and nothing else. */
export const expectWhole = (text: string, { response }: JobView): void => {
  const { choices } = response!.body as { choices: [{ message: { content: string } }] }
  const content = choices[0].message.content
  expect(readChat(text)).toEqual({ content, answers: [expect.any(String)], errors: [], isDone: true })
}

/** That the reader had the beginning of one answer, and then one error. */
export const expectBroken = (text: string): void =>
  expect(readChat(text)).toEqual({
    content: expect.stringMatching(/./),
    ...{ answers: [expect.any(String)], errors: ['stream_broken'], isDone: true },
  })
