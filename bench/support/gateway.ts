import type { TestEnvironment } from '../../harness/environment.ts'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { apiKey } from './deployment.ts'
import { type Contestant, startChild } from './processes.ts'

const startFile = new URL('build/start-server.js', import.meta.resolve('@portkey-ai/gateway/package.json'))

/** What it needs for streams. */
const streamingOptions = ['--import', new URL('../processes/mutable-answers.ts', import.meta.url).href]

/** Starts Portkey's gateway without its console. */
export const startGateway = async (environment: TestEnvironment, streams = false): Promise<Contestant> => {
  const port = await findFreePort()
  return startChild(
    environment,
    startFile.href,
    [`--port=${port}`, '--headless'],
    streams ? streamingOptions : [],
    async child => {
      await child.printed('Ready for connections')
      return `http://127.0.0.1:${port}`
    },
  )
}

/** What makes the gateway try the second provider where the first answers 429, as a header of each request. */
export const gatewayHeaders = (firstUrl: string, secondUrl: string): Record<string, string> => {
  const target = (url: string) => ({ provider: 'openai', custom_host: `${url}/v1`, api_key: apiKey })
  const config = {
    strategy: { mode: 'fallback', on_status_codes: [429] },
    targets: [target(firstUrl), target(secondUrl)],
  }
  return { 'x-portkey-config': JSON.stringify(config) }
}
