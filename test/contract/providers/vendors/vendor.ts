import type { Arrival } from '../recording-upstream.ts'

/** A request as its API understands it, told the same way for all. */
export interface Seen {
  readonly system: string | null
  /** `user: text`, `user: image image/png aGk=`, `assistant: call find {"q":1} as c1`, `tool: c1 found`. */
  readonly turns: readonly string[]
  readonly tools: readonly string[]
  readonly choice: string | null
  readonly schema: unknown
  readonly maxTokens: unknown
  readonly temperature: unknown
  readonly topP: unknown
  readonly stops: unknown
}

export interface Call {
  readonly id: string
  readonly name: string
  readonly input: object
  /** In streams: the input as the model writes it. */
  readonly text?: string
}

export type Finish = 'stop' | 'length' | 'calls' | 'filter'

export interface Said {
  readonly text?: string
  readonly calls?: readonly Call[]
  readonly finish?: Finish
}

/** What the API answers in place of a success, as it is known from it, and what that must be taken for. */
export interface KnownError {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly verdict: string
  readonly retryAfterMs?: number
}

export type ErrorCase = 'throttled' | 'internal' | 'unavailable' | 'bad key' | 'unknown model' | 'too long'

/** One API: how it is configured and called, how it reads requests and how it answers. */
export interface Vendor {
  readonly name: string
  /** Settings of a provider that calls `url`. */
  settings(url: string): Record<string, unknown> | Promise<Record<string, unknown>>
  /** The key of each call. */
  readonly key: string | null
  readonly model: string
  /** Where the model is called. */
  readonly path: string
  /** Throws where the API would not take the call for that of its customer. */
  checkAuth(arrival: Arrival): void
  read(body: Record<string, unknown>): Seen
  answer(said: Said): object
  readonly errors: Readonly<Record<ErrorCase, KnownError>>
  /** Ids of tool calls as they arrive. */
  idOf(id: string): string
  /** Finish reasons that the API has a word for. */
  readonly finishes: readonly Finish[]
  /** Parameters of a chat completion that it takes beyond what all take, and how they arrive. */
  readonly extras: readonly { readonly body: object; readonly arrives: object }[]
  /** Parameters of a chat completion that it cannot be given. */
  readonly lost: readonly (readonly [name: string, body: object])[]
  readonly takesPdf: boolean
  /** Whether calls and results find each other by name, as no ids arrive. */
  readonly byName: boolean
}

/** Tokens of every answer. */
export const usage = { input: 20, output: 5 }
