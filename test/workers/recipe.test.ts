import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { until } from '../../harness/until.ts'
import { openUpstream } from '../contract/providers/open-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

const recipe = parse(
  readFileSync(join(import.meta.dirname, '../../examples/recipe.yaml'), 'utf8').replaceAll(
    /\$\{\w+\}/g,
    'fake',
  ),
)

/** As Anthropic does: without `max_tokens` or the version there is no answer. */
const claude = (text: string, request: IncomingMessage, response: ServerResponse): unknown => {
  const body = JSON.parse(text)
  const send = (status: number, json: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
  const refuse = (message: string) =>
    send(400, { type: 'error', error: { type: 'invalid_request_error', message }, request_id: 'req_1' })
  if (request.headers['anthropic-version'] === undefined)
    return refuse('anthropic-version: header is required')
  if (!Number.isInteger(body.max_tokens)) return refuse('max_tokens: Field required')
  send(200, {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: body.model,
    content: [{ type: 'text', text: 'from Claude' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 9, output_tokens: 3 },
  })
}

const wrongKey: RequestListener = (request, response) => {
  request.resume()
  const error = {
    message: 'Incorrect API key provided',
    type: 'invalid_request_error',
    param: null,
    code: 'invalid_api_key',
  }
  response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
}

/** A port on which nobody listens. */
const refusedUrl = 'http://127.0.0.1:1/v1'

const deployRecipe = async (openaiUrl: string, lines: string[]): Promise<BatonApi> => {
  const anthropic = await openUpstream((request, response) =>
    claude(anthropic.arrivals.at(-1)!.text, request, response),
  )
  const { providers, models } = recipe
  return openBaton({
    level: 'api',
    config: {
      providers: {
        openai: { ...providers.openai, base_url: openaiUrl },
        anthropic: { ...providers.anthropic, base_url: anthropic.url },
      },
      models,
    },
    logTo: { write: line => void lines.push(line) },
  })
}

/** The command of the recipe, letter by letter but for the address. */
const curl = async (apiUrl: string) => {
  const { stdout } = await promisify(execFile)('curl', [
    ...['-sS', '-X', 'POST', `${apiUrl}/v1/messages`, '-H', 'Authorization: Bearer test'],
    ...['-d', '{"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]}'],
  ])
  return JSON.parse(stdout)
}

describe('recipes of the docs', () => {
  it.each([
    ['refuses connections', async () => refusedUrl],
    ['knows no such key', async () => `${(await openUpstream(wrongKey)).url}/v1`],
  ])("the recipe's curl is answered by the fallback where the first provider %s", async (_, openUrl) => {
    const lines: string[] = []
    const deployment = await deployRecipe(await openUrl(), lines)
    try {
      expect(await curl(deployment.url)).toMatchObject({
        type: 'message',
        content: [{ type: 'text', text: 'from Claude' }],
      })
      const infos = () => lines.map(line => JSON.parse(line)).filter(line => line.level === 30 && line.jobId)
      await until(() => infos().some(({ msg }) => msg === 'job finished'))
      const story = infos().map(({ msg, provider }) => `${msg}: ${provider}`)
      expect(story).toEqual([
        'attempt failed: openai',
        'job handed over: anthropic',
        'job finished: anthropic',
      ])
      expect(lines.join('')).not.toMatch(/Hello|from Claude/)
    } finally {
      await deployment.stop()
    }
  })
})
