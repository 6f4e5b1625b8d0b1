import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { type Run, runIn } from './run-in-folder.ts'

/** Baton with two simulated providers and an API, and the command that looks at it. */
export interface OperatorSite {
  readonly baton: BatonApi
  readonly openai: SimProvider
  readonly anthropic: SimProvider
  run(commandLine: string): Promise<Run>
  /** The same with `--json`, read. Throws where the command failed. */
  json<T>(commandLine: string): Promise<T>
  close(): Promise<void>
}

export const operatorConfig = (openaiUrl: string, anthropicUrl: string) => {
  const breaker = { min_calls: 4, reset: '1m', window: '10s' }
  return {
    providers: {
      openai: { type: 'openai', base_url: `${openaiUrl}/v1`, api_key: 'k', retries: 0, breaker },
      anthropic: { type: 'anthropic', base_url: anthropicUrl, api_key: 'k', breaker },
    },
    models: {
      'gpt-4': { provider: 'openai', fallback_to: 'claude', price: { input: 30, output: 60 } },
      claude: { provider: 'anthropic', price: { input: 3, output: 15 } },
      alone: { provider: 'openai' },
    },
    // To a forbidden address, or without a secret, a webhook would be given up at its first attempt.
    webhooks: {
      secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
      allowed_networks: ['127.0.0.0/8'],
    },
  }
}

export const openOperatorSite = async (more: object = {}): Promise<OperatorSite> => {
  const [openai, anthropic] = [createSimProvider(), createSimProvider()]
  await Promise.all([openai.start(), anthropic.start()])
  const config = { ...operatorConfig(openai.url, anthropic.url), ...more }
  const baton = await openBaton({ level: 'api', config, webhooks: true })
  const run = (commandLine: string): Promise<Run> => runIn({}, commandLine, { BATON_URL: baton.url })
  return {
    baton,
    openai,
    anthropic,
    run,
    json: async commandLine => {
      const { exitCode, out, err } = await run(`${commandLine} --json`)
      if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${err}`)
      return JSON.parse(out)
    },
    close: async () => {
      await baton.stop()
      await Promise.all([openai.stop(), anthropic.stop()])
    },
  }
}
