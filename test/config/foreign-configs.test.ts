// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { describe, expect, test } from 'vitest'
import { ConfigError, renderFault } from '../../src/config/fault.ts'
import { readConfigFile } from '../../src/config/file.ts'
import { inspectConfig } from '../../src/config/load.ts'
import { configFolder } from './config-folder.ts'

/** All that is said of a config, as a terminal shows it. */
const saidOf = (text: string | Buffer): string => {
  const cwd = configFolder({ 'baton.yaml': text as string })
  try {
    return inspectConfig(readConfigFile({ cwd, env: {} }))
      .faults.map(renderFault)
      .join('\n')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults.map(renderFault).join('\n')
  }
}

const openai = 'openai: {type: openai, api_key: k}'
const withRoute = (route: string): string =>
  `providers: {${openai}, b: {type: anthropic, api_key: k}}\nmodels: {m: ${route}}`
const withProvider = (settings: string): string => `providers: {p: {${settings}}}\nmodels: {m: {provider: p}}`
const withKey = (key: string): string => withProvider(`type: openai, api_key: '${key}'`)

describe('a config of somebody who comes from another program', () => {
  test.each([
    'os.environ/MY_KEY',
    'os.environ["MY_KEY"]',
    '$MY_KEY',
    '%MY_KEY%',
    'env:MY_KEY',
    'env.MY_KEY',
    'process.env.MY_KEY',
    '{{ MY_KEY }}',
    '{{ env.MY_KEY }}',
    '${{ secrets.MY_KEY }}',
    '${env.MY_KEY}',
    '${env:MY_KEY}',
    '${MY_KEY-none}',
  ])('the variable %s is not taken for a key', written => {
    expect(saidOf(withKey(written))).toMatch(
      /^line 1, providers\.p\.api_key: variables of the environment are written .*did you mean "\$\{MY_KEY\}"\?$/,
    )
  })

  test.each(['sk-proj-$abc', 'envkey', '$abc', '100%', '<none>'])('the key %s is one', key => {
    expect(saidOf(withKey(key))).toBe('')
  })

  test.each([
    [
      'm: openai/gpt-4o',
      `providers: {${openai}}\nmodels: {m: openai/gpt-4o}`,
      '"{provider: openai, upstream_model: gpt-4o}"',
    ],
    [
      'a list of models',
      `providers: {${openai}}\nmodels: [gpt-4o]`,
      'as gpt-4o: {provider: openai}, and no list',
    ],
    ['a list of providers', 'providers: [{name: openai}]', 'as openai: {type: openai}, and no list'],
    [
      'a provider that is its key',
      'providers: {openai: sk-0123456789}',
      'as {type: openai, api_key: "${OPENAI_API_KEY}"}',
    ],
    ['a provider of nothing', 'providers: {openai: }', 'expected the settings of a provider'],
    [
      'several providers of a route',
      withRoute('{provider: [openai, b]}'),
      'the others follow by fallback_to',
    ],
    [
      'a provider with its model',
      withRoute('{provider: openai/gpt-4o}'),
      '{provider: openai, upstream_model: gpt-4o}',
    ],
    [
      'a fallback to a model of a provider',
      withRoute('{provider: openai, fallback_to: b/claude-x}'),
      'as claude-x: {provider: b}, and name that',
    ],
    ['a fallback to a provider', withRoute('{provider: openai, fallback_to: b}'), 'as MODEL: {provider: b}'],
    [
      'fallbacks with settings',
      withRoute('{provider: openai, fallback_to: [{model: x}]}'),
      'a route of its own under models, and named here',
    ],
    ['OpenRouter’s models', withRoute('{provider: openai, models: [a, b]}'), 'did you mean "fallback_to"?'],
    ['a bare price', withRoute('{provider: openai, price: 5}'), '{input: 2.5, output: 10}'],
    ['LiteLLM’s price', withRoute('{provider: openai, input_cost_per_token: 0.1}'), 'per million tokens'],
    ['round robin', withRoute('{provider: openai, strategy: round-robin}'), 'did you mean "weighted"?'],
    [
      'the lowest latency',
      withRoute('{provider: openai, strategy: latency-based-routing}'),
      'did you mean "fastest"?',
    ],
    [
      'Portkey’s targets',
      'strategy: {mode: fallback}\ntargets: []',
      'providers, and models with their fallback_to',
    ],
    ['channels of One API', 'channels: []', 'did you mean "providers"?'],
    ['sections in a section', 'baton: {providers: {}}', 'sections stand at the top of the file'],
    ['LangChain’s class', withProvider('type: ChatOpenAI, api_key: k'), 'did you mean "openai"?'],
    [
      'a deployment of Azure',
      withProvider('type: azure, api_key: k, azure_deployment: d'),
      'models.<name>.upstream_model',
    ],
    [
      'a role of AWS',
      withProvider('type: bedrock, region: us-east-1, aws_role_name: d'),
      'did you mean "role_arn"?',
    ],
    [
      'a limit by the second',
      withProvider('type: openai, api_key: k, limits: {rps: 1}'),
      'did you mean "rpm"?',
    ],
    [
      'a number with a unit',
      withProvider('type: openai, api_key: k, limits: {tpm: 10k}'),
      'did you mean "10000"?',
    ],
    ['several units', withProvider('type: openai, api_key: k, timeout: 1h30m'), 'did you mean "90m"?'],
    [
      'a duration of ISO 8601',
      withProvider('type: openai, api_key: k, timeout: PT30S'),
      'did you mean "30s"?',
    ],
    ['yes', `providers: {${openai}}\nui: {enabled: yes}`, 'expected true or false; did you mean "true"?'],
    [
      'parts of an address of Redis',
      `redis: {host: h}`,
      'redis://USER:PASSWORD@HOST:6379/0; did you mean "url"?',
    ],
    ['keys of clients by name', 'api_keys: {alice: k}', 'expected a list, as - {key:'],
    [
      'an endpoint in an address',
      withProvider('type: openai-compatible, base_url: "https://x.test/v1/chat/completions"'),
      'did you mean "https://x.test/v1"?',
    ],
    [
      'Ollama’s own API',
      withProvider('type: ollama, base_url: "http://10.0.0.1:11434/api/chat"'),
      'did you mean "http://10.0.0.1:11434/v1"?',
    ],
    [
      'a server without its path',
      withProvider('type: vllm, base_url: "http://10.0.0.1:9000"'),
      'did you mean "http://10.0.0.1:9000/v1"?',
    ],
    [
      'a vendor without its path',
      withProvider('type: openai, api_key: k, base_url: "https://api.openai.com"'),
      'did you mean "https://api.openai.com/v1"?',
    ],
    [
      'an address without its scheme',
      withProvider('type: openai-compatible, base_url: x.test/v1'),
      'did you mean "https://x.test/v1"?',
    ],
    ['TOML', '[providers.openai]\ntype = "openai"', 'this looks like TOML'],
    ['variables', 'OPENAI_API_KEY=sk-0123456789', 'those stand in .env'],
    ['UTF-16', Buffer.from(`\ufeff${withRoute('{provider: openai}')}`, 'utf16le'), 'save it as UTF-8'],
    ['tabs', 'providers:\n\topenai: {}', 'use spaces'],
    ['a key twice', 'providers: {}\nproviders: {}', 'stands twice in its table'],
    ['a second document', 'providers: {}\n---\nmodels: {}', 'a second document begins here'],
    ['a star without quotes', 'models:\n  *: {provider: openai}', 'put quotes around it, as in "*"'],
    ['an odd indent', 'providers:\n  openai:\n    type: openai\n   api_key: k', 'indented otherwise'],
    ['a comment of JSON', '{\n// all\n"providers": {}}', 'a comment begins with # here'],
  ])('%s: is told what to write', (_, text, says) => {
    const said = saidOf(text)
    expect(said).toContain(says)
    expect(said).not.toContain('sk-0123456789')
  })

  test.each([
    ['line ends of Windows', withRoute('{provider: openai}').replaceAll('\n', '\r\n')],
    ['a mark of byte order', `\ufeff${withRoute('{provider: openai}')}`],
    ['JSON with a comma too many', `{"providers": {"openai": {"type": "openai", "api_key": "k"}},}`],
    ['a server at its root', withProvider('type: openai-compatible, base_url: "http://10.0.0.1:8080"')],
    ['a gateway at its root', withProvider('type: openai, api_key: k, base_url: "http://10.0.0.1:8080"')],
  ])('%s are taken as they are', (_, text) => {
    expect(saidOf(text)).toBe('')
  })

  test('an address that may hold a secret is not repeated', () => {
    const said = saidOf(
      withProvider('type: openai-compatible, base_url: "https://u:sk-0123456789@x.test/v1/messages"'),
    )
    expect(said).toContain('ends with an endpoint')
    expect(said).not.toContain('sk-0123456789')
  })
})
