import type { UpstreamRequest } from '../../../src/providers/provider.ts'
import type { SimProviderOptions } from '../../../src/sim/sim-provider.ts'
import { startSim } from '../../sim/provider-fixture.ts'
import { openProvider, requestOf } from './open-provider.ts'

/** A sink that keeps what is written to it. */
export const collectingSink = (onWrite: (text: string) => void = () => undefined) => {
  const writes: string[] = []
  return {
    writes,
    get text() {
      return writes.join('')
    },
    write(text: string) {
      writes.push(text)
      onWrite(text)
    },
  }
}

export const paths = {
  '/v1/chat/completions': 'openai',
  '/v1/completions': 'openai',
  '/v1/responses': 'openai',
  '/v1/messages': 'anthropic',
} as const

export type StreamedPath = keyof typeof paths

const prompt = 'tell me more'

/** A simulated server, a provider for it, and a way to stream from it in the format of this path. */
export const openStreams = async (
  path: StreamedPath,
  settings: Record<string, unknown> = {},
  options: SimProviderOptions = {},
) => {
  const sim = await startSim({ now: () => 1_765_000_100_000, ...options })
  const type = paths[path]
  const provider = openProvider({
    ...{ type, api_key: 'sk-test', base_url: type === 'openai' ? `${sim.url}/v1` : sim.url },
    ...settings,
  })
  const body = (more: object = {}) => ({
    ...(path === '/v1/completions' && { prompt }),
    ...(path === '/v1/responses' && { input: prompt }),
    ...{ max_tokens: 16, messages: [{ role: 'user', content: prompt }], stream: true, ...more },
  })
  const stream = async (model: string, rest: Partial<UpstreamRequest> = {}, more: object = {}) => {
    const sink = collectingSink()
    const outcome = await provider.call(requestOf(path, body(more), { model, stream: sink, ...rest }))
    return { outcome, sink }
  }
  return { sim, provider, body, stream }
}
