import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openBaton } from '../support/open-baton.ts'
import { ask, post, startSim } from './provider-fixture.ts'

const path = '/v1/messages/count_tokens'
const asked = { model: 'sim-small', messages: [{ role: 'user' as const, content: 'how many?' }] }

describe('the tokens of messages, counted by a simulated provider', () => {
  it('are those that an answer would tell, and are no call', async () => {
    const sim = await startSim({ format: 'anthropic' })
    const client = new Anthropic({ apiKey: 'k', baseURL: sim.url, maxRetries: 0 })
    const { input_tokens } = await client.messages.countTokens(asked)
    expect(input_tokens).toBe(Math.ceil(JSON.stringify(asked).length / 4))
    expect(sim.calls.calls).toBe(0)
    const answer = await client.messages.create({ ...asked, max_tokens: 16 })
    expect(answer.usage.input_tokens).toBeGreaterThanOrEqual(input_tokens)
  })

  it('are refused to a bad key, to what is no request, and while the provider is out of order', async () => {
    const sim = await startSim({ format: 'anthropic', keys: ['good'] })
    const statusOf = async (body: unknown, key = 'good') =>
      (await post(`${sim.url}${path}`, body, { 'x-api-key': key })).status
    expect(await statusOf(asked, 'bad')).toBe(401)
    expect(await statusOf('{"model"')).toBe(400)
    expect(await statusOf({ messages: asked.messages })).toBe(400)
    expect(await statusOf({ ...asked, messages: [] })).toBe(400)
    expect(await statusOf(asked)).toBe(200)
    sim.script({ fault: { kind: 'error-500' } })
    expect(await statusOf(asked)).toBe(500)
  })

  it("have no place in OpenAI's format", async () => {
    const sim = await startSim({ format: 'openai' })
    expect((await post(`${sim.url}${path}`, ask('sim-small'))).status).toBe(404)
  })

  it('reach a client through Baton, and are refused in words where no target can count', async () => {
    const [claude, gpt] = await Promise.all([
      startSim({ format: 'anthropic' }),
      startSim({ format: 'openai' }),
    ])
    const baton = await openBaton({
      level: 'api',
      workers: [],
      config: {
        providers: {
          claude: { type: 'simulated', format: 'anthropic', base_url: claude.url },
          gpt: { type: 'simulated', format: 'openai', base_url: `${gpt.url}/v1` },
        },
        models: { claude: { provider: 'claude', upstream_model: 'sim-small' }, gpt: { provider: 'gpt' } },
      },
    })
    onTestFinished(() => baton.stop())
    const client = new Anthropic({ apiKey: 'k', baseURL: baton.url, maxRetries: 0 })
    expect(await client.messages.countTokens({ ...asked, model: 'claude' })).toMatchObject({
      input_tokens: Math.ceil(JSON.stringify(asked).length / 4),
    })
    await expect(client.messages.countTokens({ ...asked, model: 'gpt' })).rejects.toMatchObject({
      ...{ status: 400, type: 'invalid_request_error' },
      error: { error: { details: { error_code: 'count_tokens_unsupported' } } },
    })
  })
})
