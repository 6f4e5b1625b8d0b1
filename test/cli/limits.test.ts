import { describe, expect, test } from 'vitest'
import { runIn } from './run-in-folder.ts'

const text = `
server: {port: 1} # where nobody answers
providers:
  openai: {type: openai, api_key: "\${UNSET}", limits: {rpm: 500}}
  local: {type: simulated, limits: {rpm: 60}}
  free: {type: simulated}
  anthropic: {type: anthropic, api_key: k, limits: {rpm: 50, tpm: 40000, concurrency: 20}, concurrency: 8}
models:
  gpt-4: {provider: openai, fallback_to: [llama, claude]}
  gpt-5: {provider: openai, fallback_to: claude}
  llama: {provider: local}
  claude: {provider: anthropic}
`
const show = (provider: string, more = '') =>
  runIn({ 'baton.yaml': text }, `limits --provider ${provider}${more}`)

describe('limits', () => {
  test('shows the limits beside the demand, keys or not', async () => {
    const { exitCode, out } = await show('anthropic')
    expect(exitCode).toBe(0)
    expect(out.split('\n').map(line => line.trim().split(/ {2,}/))).toEqual([
      ['anthropic (anthropic)'],
      ['requests per minute', '50'],
      ['tokens per minute', '40000'],
      ['calls at once', '20 in all, 8 per worker process'],
      ['last seen', expect.stringMatching(/^not known: no answer from the API at http:\/\/127\.0\.0\.1:1 /)],
      ['first choice of', 'claude'],
      ['fallback of gpt-4', 'after openai, local: up to 560 requests per minute'],
      ['fallback of gpt-5', 'after openai: up to 500 requests per minute'],
      ['all fallbacks together', 'up to 560 requests per minute'],
    ])
  })

  test('--json tells the same, and counts each provider before it once', async () => {
    expect(JSON.parse((await show('anthropic', ' --json')).out)).toEqual({
      provider: 'anthropic',
      type: 'anthropic',
      limits: { rpm: 50, tpm: 40_000, concurrency: 20, worker_concurrency: 8 },
      seen: null,
      demand: {
        first: ['claude'],
        fallbacks: [
          { route: 'gpt-4', after: ['openai', 'local'], rpm: 560 },
          { route: 'gpt-5', after: ['openai'], rpm: 500 },
        ],
        fallback_rpm: 560,
      },
    })
  })

  test('a provider before it without a limit makes the demand unlimited', async () => {
    const unlimited = text.replace(
      '{provider: openai, fallback_to: claude}',
      '{provider: free, fallback_to: claude}',
    )
    const { out } = await runIn({ 'baton.yaml': unlimited }, 'limits --json --provider anthropic')
    expect(JSON.parse(out).demand).toMatchObject({
      fallbacks: [{ rpm: 560 }, { route: 'gpt-5', after: ['free'], rpm: null }],
      fallback_rpm: null,
    })
  })

  test('a provider that no route uses has no demand', async () => {
    const { out } = await show('free')
    expect(out).toMatch(/requests per minute +no limit/)
    expect(out).toMatch(/first choice of +no route$/)
  })

  test.each([
    [
      'one like another',
      'antropic',
      'there is no provider "antropic" in the config; did you mean "anthropic"?',
    ],
    [
      'one like no other',
      'constructor',
      'there is no provider "constructor" in the config; known: openai, local, free, anthropic',
    ],
  ])('an unknown provider, %s', async (_, provider, message) => {
    const { exitCode, out, err } = await show(provider)
    expect({ exitCode, out, err }).toEqual({ exitCode: 1, out: '', err: message })
  })
})
