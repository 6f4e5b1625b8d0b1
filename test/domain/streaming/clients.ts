import Anthropic from '@anthropic-ai/sdk'
import Anthropic0 from 'anthropic0'
import OpenAI from 'openai'
import OpenAI4 from 'openai4'
import OpenAI6 from 'openai6'

const options = (text: string) => ({
  apiKey: 'k',
  maxRetries: 0,
  fetch: async () => new Response(text, { headers: { 'content-type': 'text/event-stream' } }),
})

/** The official clients, given this text as the answer to whatever they ask for. */
export const openAiClients = [
  ['openai 7', (text: string) => new OpenAI(options(text))],
  ['openai 6', (text: string) => new OpenAI6(options(text)) as unknown as OpenAI],
  ['openai 4', (text: string) => new OpenAI4(options(text) as object) as unknown as OpenAI],
] as const

export const anthropicClients = [
  ['anthropic 1', (text: string) => new Anthropic(options(text))],
  ['anthropic 0', (text: string) => new Anthropic0(options(text)) as unknown as Anthropic],
] as const

/** Reads a stream to its end; gives the events, and what it threw. */
export const readAll = async (stream: AsyncIterable<unknown>) => {
  const events: unknown[] = []
  try {
    for await (const event of stream) events.push(event)
    return { events, error: null }
  } catch (error) {
    return { events, error: error as { message: string; code?: unknown; error?: unknown; type?: unknown } }
  }
}

/** Version 4 has the helpers in `beta`. */
export const chatOf = (client: OpenAI): OpenAI['chat'] =>
  'stream' in client.chat.completions ? client.chat : (client.beta as unknown as OpenAI).chat
