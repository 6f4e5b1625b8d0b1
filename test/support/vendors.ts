import type { RequestListener } from 'node:http'
import {
  type Arrival,
  answering,
  type RecordingUpstream,
  startUpstream,
} from '../contract/providers/recording-upstream.ts'

export type { Arrival }

/** Good answers, as the vendors document them. */
export const answers = {
  chat: {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_765_000_000,
    model: 'gpt-4',
    choices: [{ index: 0, message: { role: 'assistant', content: 'ho' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  },
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [{ type: 'text', text: 'ho' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens: 2 },
  },
  response: (id: string) => ({
    id,
    object: 'response',
    created_at: 1_765_000_000,
    status: 'completed',
    model: 'gpt-4',
    output: [
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'ho', annotations: [] }],
      },
    ],
    usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
  }),
}

export interface Vendor extends RecordingUpstream {
  /** What it answers from now on. */
  answers(respond: RequestListener): void
  /** Forgets what arrived. */
  forget(): void
}

/** A provider of a test's own, that answers as it is told. */
export const openVendor = async (first: RequestListener): Promise<Vendor> => {
  let respond = first
  const upstream = await startUpstream((request, response) => respond(request, response))
  return {
    ...upstream,
    answers: next => {
      respond = next
    },
    forget: () => {
      upstream.arrivals.length = 0
    },
  }
}

export const unavailable: RequestListener = answering(503, {
  error: { type: 'server_error', message: 'away' },
})
