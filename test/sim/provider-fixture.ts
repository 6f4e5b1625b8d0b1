import { onTestFinished } from 'vitest'
import { createSimProvider, type SimProviderOptions } from '../../src/sim/sim-provider.ts'

/** A simulated provider that serves until the test ends. */
export async function startSim(options: SimProviderOptions = {}) {
  const sim = createSimProvider(options)
  onTestFinished(() => sim.stop())
  await sim.start()
  return sim
}

export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Posts a body, as JSON unless it is text already, and reads the whole answer. */
export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<Told> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const sent = { 'content-type': 'application/json', ...headers }
  const answer = await fetch(url, { method: 'POST', body: text, headers: sent, signal, redirect: 'manual' })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

export const ask = (model: string, prompt = 'hi', more: object = {}) => ({
  model,
  max_tokens: 16,
  messages: [{ role: 'user', content: prompt }],
  ...more,
})
