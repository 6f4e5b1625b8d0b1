/**
 * Vendors, and servers of one's own, that copy OpenAI's API, as provider types of their own: what their documentation says, so that
 * a config need not. All else is as for `openai-compatible`, and `base_url` wins.
 */
export interface Preset {
  /** Where its API is, as its clients are given it. */
  readonly baseUrl: string
  /** `needed`: no call without one. `taken`: where the server was told to ask for one. */
  readonly key: 'needed' | 'taken'
  /** The variable in which its documentation puts the key. */
  readonly keyVariable: string
  /** Its id in the tables of `@pydantic/genai-prices`; absent where nothing is sold, or nothing known. */
  readonly prices?: string
  /** What it does not serve at this address: such a request goes to another target at once. */
  readonly lacks?: readonly ('/v1/embeddings' | '/v1/completions')[]
  /** Which path below the base tells a good key from a bad one; null for none. Its list of models (`/models`) when absent. */
  readonly keyPath?: string | null
}

const chatOnly = ['/v1/embeddings', '/v1/completions'] as const
const own = { key: 'taken' } as const

const table = {
  groq: {
    baseUrl: 'https://api.groq.com/openai/v1',
    key: 'needed',
    keyVariable: 'GROQ_API_KEY',
    prices: 'groq',
    lacks: chatOnly,
  },
  deepseek: {
    baseUrl: 'https://api.deepseek.com/v1',
    key: 'needed',
    keyVariable: 'DEEPSEEK_API_KEY',
    prices: 'deepseek',
    // Completions are at another base, `/beta`.
    lacks: chatOnly,
  },
  together: {
    baseUrl: 'https://api.together.xyz/v1',
    key: 'needed',
    keyVariable: 'TOGETHER_API_KEY',
    prices: 'together',
  },
  fireworks: {
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    key: 'needed',
    keyVariable: 'FIREWORKS_API_KEY',
    prices: 'fireworks',
  },
  openrouter: {
    baseUrl: 'https://openrouter.ai/api/v1',
    key: 'needed',
    keyVariable: 'OPENROUTER_API_KEY',
    prices: 'openrouter',
    // Anybody may read its models.
    keyPath: '/key',
  },
  xai: {
    baseUrl: 'https://api.x.ai/v1',
    key: 'needed',
    keyVariable: 'XAI_API_KEY',
    prices: 'x-ai',
    lacks: ['/v1/embeddings'],
  },
  perplexity: {
    baseUrl: 'https://api.perplexity.ai',
    key: 'needed',
    keyVariable: 'PERPLEXITY_API_KEY',
    prices: 'perplexity',
    lacks: chatOnly,
    keyPath: null,
  },
  cerebras: {
    baseUrl: 'https://api.cerebras.ai/v1',
    key: 'needed',
    keyVariable: 'CEREBRAS_API_KEY',
    prices: 'cerebras',
    lacks: ['/v1/embeddings'],
  },
  nvidia: {
    baseUrl: 'https://integrate.api.nvidia.com/v1',
    key: 'needed',
    keyVariable: 'NVIDIA_API_KEY',
  },
  moonshot: {
    baseUrl: 'https://api.moonshot.ai/v1',
    key: 'needed',
    keyVariable: 'MOONSHOT_API_KEY',
    prices: 'moonshotai',
    lacks: chatOnly,
  },
  ollama: { ...own, baseUrl: 'http://127.0.0.1:11434/v1', keyVariable: 'OLLAMA_API_KEY' },
  vllm: { ...own, baseUrl: 'http://127.0.0.1:8000/v1', keyVariable: 'VLLM_API_KEY' },
  lmstudio: { ...own, baseUrl: 'http://127.0.0.1:1234/v1', keyVariable: 'LM_STUDIO_API_KEY' },
} as const satisfies Readonly<Record<string, Preset>>

export type PresetName = keyof typeof table

export const presetNames = Object.keys(table) as [PresetName, ...PresetName[]]

export const presets: Readonly<Record<PresetName, Preset>> = table

/** What is known of a provider type that copies OpenAI's API; null for all other types. */
export const presetOf = (type: string | undefined): Preset | null =>
  type !== undefined && Object.hasOwn(table, type) ? presets[type as PresetName] : null
