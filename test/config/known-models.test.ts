import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { knownModels } from '../../src/config/known-models.ts'

const providers = {
  openai: { type: 'openai' },
  anthropic: { type: 'anthropic' },
  bedrock: { type: 'bedrock' },
  google: { type: 'google' },
  groq: { type: 'openai-compatible', base_url: 'https://api.groq.com/openai/v1' },
  own: { type: 'openai', base_url: 'http://127.0.0.1:8080/v1' },
  named: { type: 'openai', base_url: 'http://vllm:8000/v1' },
  gateway: { type: 'openai', base_url: 'https://gateway.example.com/v1' },
  rehearsal: { type: 'simulated' },
}
const known = knownModels({ providers })

describe('known models', () => {
  it.each([
    ['openai', 'gpt-4', { context_window: 8192, price: { input: 30, output: 60 } }],
    ['openai', 'gpt-4o', { context_window: 128_000, price: { input: 2.5, output: 10, cache_read: 1.25 } }],
    [
      'anthropic',
      'claude-3-opus',
      { context_window: 200_000, price: { input: 15, output: 75, cache_read: 1.5, cache_write: 18.75 } },
    ],
    ['bedrock', 'anthropic.claude-3-5-sonnet-20240620-v1:0', { price: { input: 3, output: 15 } }],
    // Another price for long prompts.
    [
      'google',
      'gemini-1.5-pro',
      { price: { input: 1.25, output: 5, tiers: [{ above: 128_000, input: 2.5, output: 10 }] } },
    ],
  ])('knows %s/%s', (provider, model, facts) => {
    expect(known(provider, model)).toMatchObject(facts)
  })

  it('knows vendors by their address', () => {
    expect(known('groq', 'llama-3.3-70b-versatile')?.price?.input).toBeGreaterThan(0)
  })

  it.each([
    ['openai', 'no-such-model'],
    ['own', 'gpt-4'],
    ['named', 'gpt-4'],
    ['gateway', 'gpt-4'],
    ['rehearsal', 'gpt-4'],
  ])('knows nothing of %s/%s', (provider, model) => {
    expect(known(provider, model)).toBeUndefined()
  })

  it('docs/routing.md names the tables that are installed', () => {
    const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
    const { dependencies } = JSON.parse(text('package.json')) as { dependencies: Record<string, string> }
    expect(text('docs/routing.md')).toContain(`version ${dependencies['@pydantic/genai-prices']} of `)
  })
})
