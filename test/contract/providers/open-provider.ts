import type { RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import { configSchema } from '../../../src/config/schema.ts'
import type { Endpoint } from '../../../src/domain/endpoint.ts'
import { createProvider } from '../../../src/providers/create-provider.ts'
import type { Provider, UpstreamRequest } from '../../../src/providers/provider.ts'
import { type RecordingUpstream, startUpstream } from './recording-upstream.ts'

/** The clock of every provider under test. */
export const nowMs = 1_765_000_000_500

/** A provider with the defaults of the config; closed when the test ends. */
export const openProvider = (settings: Record<string, unknown>, reasons?: boolean): Provider => {
  const config = configSchema.parse({ providers: { subject: settings } }).providers.subject!
  const provider = createProvider(
    'subject',
    config,
    () => nowMs,
    () => reasons,
    { env: process.env },
  )
  onTestFinished(() => provider.close())
  return provider
}

/** A server for the length of the test. */
export const openUpstream = async (respond: RequestListener): Promise<RecordingUpstream> => {
  const upstream = await startUpstream(respond)
  onTestFinished(() => upstream.close())
  return upstream
}

export const requestOf = (
  endpoint: Endpoint,
  body: unknown,
  rest: Partial<UpstreamRequest> = {},
): UpstreamRequest => ({
  endpoint,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  model: 'upstream-model',
  adjust: false,
  apiKey: 'sk-test',
  signal: new AbortController().signal,
  ...rest,
})
