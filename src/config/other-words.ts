import type { Path } from './fault.ts'
import { providerTypes } from './provider-schema.ts'

/** What a person may have meant by a word that there is not. */
export interface Meant {
  /** The word of here, where there is one. */
  readonly suggestion?: string
  /** What to do, where a word alone does not say it. */
  readonly advice?: string
}

const word = (suggestion: string, advice?: string): Meant => ({ suggestion, ...(advice && { advice }) })
const told = (advice: string): Meant => ({ advice })
const all = (meant: Meant, ...words: string[]): [string, Meant][] => words.map(other => [other, meant])

const compatible = (url: string): Meant =>
  word('openai-compatible', `it copies OpenAI's API: openai-compatible with base_url ${url}`)

/** Types of providers as other programs, and people, call them. In lower case, with `-` for every other sign. */
export const types: ReadonlyMap<string, Meant> = new Map([
  ...all(word('google'), 'gemini', 'google-genai', 'google-ai', 'google-ai-studio', 'palm', 'googleai'),
  ...all(word('anthropic'), 'claude'),
  ...all(word('openai'), 'gpt', 'chatgpt', 'open-ai'),
  ...all(word('bedrock'), 'aws', 'amazon', 'aws-bedrock', 'amazon-bedrock', 'bedrock-converse'),
  ...all(word('azure'), 'azure-openai', 'azureopenai', 'azure-ai', 'azure-foundry', 'microsoft', 'foundry'),
  ...all(word('vertex'), 'vertex-ai', 'vertexai', 'google-vertex', 'gcp', 'google-cloud'),
  ...all(word('openai'), 'chatopenai', 'openaichat', 'openai-chat'),
  ...all(word('azure'), 'azurechatopenai', 'azure-chat-openai'),
  ...all(word('anthropic'), 'chatanthropic'),
  ...all(word('google'), 'chatgooglegenerativeai'),
  ...all(word('vertex'), 'chatvertexai'),
  ...all(word('bedrock'), 'chatbedrock', 'chatbedrockconverse'),
  ...all(word('mistral'), 'chatmistralai'),
  ...all(word('ollama'), 'chatollama'),
  ...all(word('groq'), 'chatgroq'),
  ...all(word('moonshot'), 'kimi', 'moonshotai', 'moonshot-ai'),
  ...all(word('xai'), 'grok', 'x-ai'),
  ...all(word('together'), 'together-ai', 'togetherai'),
  ...all(word('fireworks'), 'fireworks-ai'),
  ...all(word('nvidia'), 'nvidia-nim', 'nim'),
  ...all(word('perplexity'), 'pplx', 'sonar', 'perplexity-ai'),
  ...all(word('vllm'), 'hosted-vllm'),
  ...all(word('lmstudio'), 'lm-studio'),
  ...all(word('ollama'), 'ollama-chat', 'llama'),
  ...all(word('cohere'), 'cohere-chat', 'command'),
  ...all(word('mistral'), 'mistralai', 'mistral-ai'),
  ...all(
    word(
      'openai-compatible',
      'a server of your own is ollama, vllm, lmstudio, or openai-compatible with its base_url',
    ),
    ...['local', 'custom', 'self-hosted', 'proxy', 'litellm', 'llamacpp', 'llama-cpp', 'llama-cpp-server'],
    ...['openai-like', 'custom-openai', 'text-completion-openai', 'sglang', 'tgi', 'localai'],
  ),
  ...all(compatible('https://router.huggingface.co/v1'), 'huggingface', 'hugging-face', 'hf'),
  ...all(compatible('https://api.deepinfra.com/v1/openai'), 'deepinfra'),
  ...all(compatible('https://api.sambanova.ai/v1'), 'sambanova'),
  ...all(compatible('https://api.minimax.io/v1'), 'minimax'),
  ...all(compatible('https://api.z.ai/api/paas/v4'), 'zai', 'z-ai', 'zhipu', 'glm'),
  ...all(
    compatible('https://dashscope-intl.aliyuncs.com/compatible-mode/v1'),
    'qwen',
    'dashscope',
    'alibaba',
  ),
  ...all(word('simulated'), 'fake', 'mock', 'test', 'dummy', 'echo', 'simulator'),
])

/** Settings of a provider. In snake case. */
export const providerKeys: ReadonlyMap<string, Meant> = new Map([
  ...all(word('type'), 'provider', 'kind', 'vendor', 'api_type', 'litellm_provider'),
  ...all(word('base_url'), 'url', 'api_base', 'endpoint', 'host', 'api_url', 'address', 'azure_endpoint'),
  ...all(word('api_key'), 'key', 'token', 'api_token', 'secret', 'bearer', 'auth'),
  ...all(
    word('api_key'),
    'openai_api_key',
    'anthropic_api_key',
    'azure_api_key',
    'virtual_key',
    'authorization',
  ),
  ...all(word('api_version'), 'openai_api_version', 'azure_api_version'),
  ...all(word('resource'), 'azure_resource', 'resource_name', 'instance_name'),
  ...all(word('role_arn'), 'aws_role_name', 'aws_role_arn', 'role'),
  ...all(word('profile'), 'aws_profile_name', 'aws_profile'),
  ...all(
    told('a deployment is named at a route: models.<name>.upstream_model'),
    ...['azure_deployment', 'deployment', 'deployment_name', 'deployment_id'],
  ),
  ...all(told('is for a request to say'), 'temperature', 'top_p', 'max_tokens', 'streaming'),
  ...all(told('goes into headers, as Helicone-Auth: "Bearer …"'), 'helicone_api_key', 'helicone_auth'),
  ...all(told('goes into headers'), 'x_portkey_api_key', 'portkey_api_key', 'x_title', 'http_referer'),
  ...all(word('api_keys'), 'keys'),
  ...all(word('retries'), 'max_retries', 'num_retries', 'retry', 'max_attempts'),
  ...all(word('timeout'), 'request_timeout', 'max_time', 'deadline'),
  ...all(word('stream.idle_timeout'), 'stream_timeout'),
  ...all(word('concurrency'), 'max_concurrency', 'max_parallel_requests', 'parallelism', 'workers'),
  ...all(word('limits'), 'rate_limit', 'rate_limits', 'ratelimit'),
  ...all(word('limits.rpm'), 'requests_per_minute', 'max_rpm'),
  ...all(word('limits.tpm'), 'tokens_per_minute', 'max_tpm'),
  ...all(word('breaker'), 'circuit_breaker', 'circuit', 'cooldown', 'cooldown_time', 'allowed_fails'),
  ...all(word('headers'), 'extra_headers', 'default_headers', 'http_headers'),
  ...all(word('models'), 'model', 'model_name', 'model_names'),
  ...all(word('region'), 'region_name', 'aws_region', 'aws_region_name'),
  ...all(word('access_key_id'), 'aws_access_key_id'),
  ...all(word('secret_access_key'), 'aws_secret_access_key'),
  ...all(word('session_token'), 'aws_session_token'),
  ...all(word('project'), 'vertex_project', 'project_id'),
  ...all(word('location'), 'vertex_location'),
  ...all(word('credentials'), 'vertex_credentials'),
  ...all(word('proxy'), 'http_proxy', 'https_proxy', 'proxy_url'),
  ...all(word('health_check'), 'healthcheck', 'health'),
  ...all(
    told('goes into headers, as OpenAI-Organization or OpenAI-Project'),
    'organization',
    'organisation',
    'org_id',
  ),
  ...all(
    told('a fallback is named at a route: models.<name>.fallback_to'),
    'fallback',
    'fallbacks',
    'fallback_to',
  ),
  ...all(
    told('a share is named at a route: models.<name>.weights, with strategy: weighted'),
    'weight',
    'weights',
  ),
  ...all(told('the order is that of models.<name>.fallback_to'), 'priority', 'order'),
])

/** Settings of a route. In snake case. */
export const routeKeys: ReadonlyMap<string, Meant> = new Map([
  ...all(
    word('fallback_to'),
    ...['fallback', 'fallbacks', 'fallback_models', 'fallback_model', 'next', 'backup', 'backups'],
  ),
  ...all(
    word('upstream_model'),
    'model',
    'model_name',
    'deployment',
    'deployment_name',
    'deployment_id',
    'id',
  ),
  ...all(word('provider'), 'type', 'vendor', 'upstream'),
  ...all(
    word('provider', 'a route has one provider; the others follow by fallback_to'),
    ...['providers', 'targets', 'deployments'],
  ),
  ...all(
    word('fallback_to', 'the others are routes of their own, and named here'),
    ...['models', 'model_list', 'order'],
  ),
  ...all(word('strategy'), 'routing_strategy', 'load_balance', 'load_balancing', 'routing', 'mode'),
  ...all(word('weights'), 'weight'),
  ...all(word('max_output_tokens'), 'max_tokens', 'max_completion_tokens', 'output_limit'),
  ...all(
    word('context_window'),
    'context_length',
    'context',
    'max_context',
    'max_input_tokens',
    'context_size',
  ),
  ...all(word('price'), 'prices', 'pricing', 'cost'),
  ...all(
    word('price', 'in US dollars per million tokens: price: {input: 2.5, output: 10}'),
    ...['input_cost_per_token', 'output_cost_per_token', 'input_cost_per_million', 'output_cost_per_million'],
  ),
  ...all(word('cache'), 'caching', 'response_cache'),
  ...all(word('mirror'), 'shadow', 'mirror_to', 'ab_test'),
  ...all(told('stands at the provider: providers.<name>.retries'), 'retries', 'max_retries', 'num_retries'),
  ...all(told('stands at the provider: providers.<name>.limits'), 'rpm', 'tpm', 'limits', 'rate_limit'),
  ...all(told('is for a request to say'), 'temperature', 'top_p', 'system_prompt', 'stop'),
  ...all(told('stands at the provider: providers.<name>.api_key'), 'api_key', 'key'),
  ...all(told('stands at the provider: providers.<name>.base_url'), 'base_url', 'api_base', 'url'),
  ...all(told('stands at the provider: providers.<name>.timeout'), 'timeout', 'request_timeout'),
])

const listOfModels =
  "LiteLLM's list is two tables here: providers (where a key and an address are) and models (what clients ask for)"

/** Sections. In snake case. */
export const sections: ReadonlyMap<string, Meant> = new Map([
  ...all(word('providers', listOfModels), 'model_list'),
  ...all(
    word('providers'),
    'vendors',
    'upstreams',
    'backends',
    'llms',
    'endpoints',
    'deployments',
    'channels',
  ),
  ...all(
    told("Portkey's targets are two tables here: providers, and models with their fallback_to"),
    ...['targets', 'config', 'configs', 'strategy'],
  ),
  ...all(
    told('sections stand at the top of the file, and under no other'),
    'baton',
    'config_version',
    'version',
  ),
  ...all(word('models'), 'routes', 'router', 'routing'),
  ...all(told('a fallback is named at a route: models.<name>.fallback_to'), 'fallback', 'fallbacks'),
  ...all(told('what it sets stands in providers and models here'), 'litellm_settings', 'router_settings'),
  ...all(told('what it sets stands in server and api_keys here'), 'general_settings'),
  ...all(word('api_keys'), 'keys', 'auth', 'api_key', 'master_key', 'virtual_keys', 'clients'),
  ...all(word('redis.url'), 'redis_url', 'redis_host', 'database', 'database_url'),
  ...all(word('server.host'), 'listen', 'bind', 'hostname'),
  ...all(word('webhooks'), 'webhook', 'callbacks'),
  ...all(word('jobs'), 'job', 'queue', 'queues'),
  ...all(told('is the variable LOG_LEVEL of the environment'), 'log_level', 'logging', 'logger', 'log'),
])

/** Settings of Redis. In snake case. */
export const redisKeys: ReadonlyMap<string, Meant> = new Map([
  ...all(
    word('url', 'all of it is one address: redis://USER:PASSWORD@HOST:6379/0'),
    ...['host', 'port', 'password', 'username', 'user', 'db', 'database', 'tls', 'ssl', 'uri'],
  ),
])

/** Limits of a provider. In snake case. */
export const limitKeys: ReadonlyMap<string, Meant> = new Map([
  ...all(word('rpm', 'limits go by the minute'), 'rps', 'requests_per_second', 'requests', 'rpd'),
  ...all(word('rpm'), 'requests_per_minute', 'max_rpm'),
  ...all(word('tpm', 'limits go by the minute'), 'tps', 'tokens_per_second', 'tokens', 'tpd'),
  ...all(word('tpm'), 'tokens_per_minute', 'max_tpm'),
  ...all(word('concurrency'), 'max_parallel_requests', 'parallel', 'max_concurrency'),
])

/** Strategies of routes, in lower case, with `-` for every other sign. */
export const strategyWords: ReadonlyMap<string, Meant> = new Map([
  ...all(word('ordered'), 'fallback', 'priority', 'single', 'sequential', 'failover', 'none'),
  ...all(
    word('weighted'),
    ...['round-robin', 'roundrobin', 'simple-shuffle', 'loadbalance', 'load-balance', 'random', 'balanced'],
    ...['least-busy', 'usage-based-routing', 'usage-based-routing-v2', 'weighted-round-robin'],
  ),
  ...all(word('cheapest'), 'cost', 'cost-based-routing', 'lowest-cost', 'price', 'least-cost'),
  ...all(
    word('fastest'),
    'latency',
    'latency-based-routing',
    'lowest-latency',
    'least-latency',
    'throughput',
  ),
])

/** `apiKey`, `api-key` and `API_KEY` as `api_key`. */
export const snakeCase = (key: string): string =>
  key
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .replaceAll(/[- .]/g, '_')
    .toLowerCase()

export const meantType = (type: string): Meant | undefined => {
  const words = snakeCase(type).replaceAll(/[_/]/g, '-')
  return types.get(words) ?? types.get(words.replaceAll('-', ''))
}

/** What a word means that is none of a setting's choices. */
export const meantChoice = (path: Path, chosen: string): Meant | undefined => {
  if (path.at(-1) === 'type') return meantType(chosen)
  return path.at(-1) === 'strategy' ? strategyWords.get(snakeCase(chosen).replaceAll('_', '-')) : undefined
}

/** The type of provider that a word names, in the words of here or of others. */
export const vendorMeant = (word: string): string | undefined =>
  providerTypes.find(type => type === snakeCase(word).replaceAll('_', '-')) ?? meantType(word)?.suggestion

const tableAt = (path: Path): ReadonlyMap<string, Meant> | undefined => {
  const [section, , part] = path
  if (path.length === 0) return sections
  if (section === 'redis') return redisKeys
  if (section === 'providers' && part === 'limits') return limitKeys
  if (path.length > 2) return undefined
  return section === 'providers' ? providerKeys : section === 'models' ? routeKeys : undefined
}

/** What an unknown key means at its place. */
export const meantKey = (path: Path, key: string): Meant | undefined => {
  if (path.length === 0 && key.startsWith('//')) return told('a comment begins with # here')
  if (path.length === 0 && key.startsWith('x-'))
    return told('what is shared by an anchor stands where it is used first')
  return tableAt(path)?.get(snakeCase(key))
}
