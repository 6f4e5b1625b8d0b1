import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRig, type Rig } from './rig.ts'

const run = promisify(execFile)
const tries = 25
const apiKey = 'the-key'
const authorization = `Bearer ${apiKey}`
const json = 'application/json'
/** Larger than all the buffers between client and server, so that the refusal comes in the middle of it. */
const large = Buffer.alloc(12_000_000, 'x')
const maxBytes = 1_000_000

let rig: Rig
let url: string
let dir: string
let agent: Agent
let httpAgent: HttpAgent
beforeAll(async () => {
  rig = await openRig({
    config: { api_keys: [apiKey], server: { port: 0, shutdown_grace: '10s', max_body_bytes: maxBytes } },
  })
  url = (await rig.api.logged('api listening')).url as string
  dir = await mkdtemp(join(tmpdir(), 'baton-large-'))
  await writeFile(join(dir, 'large'), large)
  agent = new Agent({ connections: 1 })
  httpAgent = new HttpAgent({ keepAlive: true, maxSockets: 1 })
})
afterAll(async () => {
  await agent.close()
  httpAgent.destroy()
  await rig.close()
  await rm(dir, { recursive: true })
})

interface Sent {
  readonly path: string
  readonly headers: Record<string, string>
}

type Client = (sent: Sent) => Promise<number>

const viaFetch: Client = async ({ path, headers }) => {
  const init = { method: 'POST', headers, body: large }
  const answer = await fetch(url + path, init)
  await answer.text()
  return answer.status
}

const inChunks: Client = async ({ path, headers }) => {
  async function* chunks() {
    for (let at = 0; at < large.length; at += 1_000_000) yield large.subarray(at, at + 1_000_000)
  }
  const answer = await fetch(url + path, {
    method: 'POST',
    headers,
    body: ReadableStream.from(chunks()),
    duplex: 'half',
  })
  await answer.text()
  return answer.status
}

/** On a connection that it keeps, and has used before. */
const viaUndici: Client = async ({ path, headers }) => {
  await (await request(`${url}/healthz`, { dispatcher: agent })).body.dump()
  const answer = await request(url + path, { method: 'POST', headers, body: large, dispatcher: agent })
  await answer.body.dump()
  return answer.statusCode
}

/** Reads no answer before all is written, as blocking clients do. */
const blindly: Client = ({ path, headers }) =>
  new Promise((resolve, reject) => {
    const sent = httpRequest(url + path, { method: 'POST', agent: httpAgent, headers }, answer => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode ?? 0))
    })
    sent.on('error', reject)
    sent.setHeader('content-length', large.length)
    sent.end(large)
  })

const viaCurl =
  (...more: string[]): Client =>
  async ({ path, headers }) => {
    const named = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
    const { stdout } = await run('curl', [
      ...['-sS', '-o', join(dir, 'answer'), '-w', '%{http_code}', '--data-binary', `@${join(dir, 'large')}`],
      ...named,
      ...more,
      url + path,
    ])
    return Number(stdout)
  }

const clients: Record<string, Client> = {
  fetch: viaFetch,
  'fetch in chunks': inChunks,
  'undici on a kept connection': viaUndici,
  'a client that first writes everything': blindly,
  curl: viaCurl(),
  'curl that does not ask first': viaCurl('-H', 'Expect:'),
  'curl in chunks': viaCurl('-H', 'Transfer-Encoding: chunked'),
}

const sent = (path: string, more: Record<string, string> = {}): Sent => ({
  path,
  headers: { authorization, 'content-type': json, ...more },
})

const refusals: [string, Sent, number][] = [
  ['too large', sent('/v1/chat/completions'), 413],
  ['without a key', sent('/v1/messages', { authorization: 'Bearer wrong' }), 401],
  ['of a wrong type', sent('/v1/jobs', { 'content-type': 'image/png' }), 415],
  ['for no path', sent('/v1/nothing'), 404],
  ['that is no form', sent('/v1/files'), 415],
]

const outcomes = async (send: () => Promise<number>, times: number): Promise<unknown[]> => {
  const got: unknown[] = []
  for (let i = 0; i < times; i++)
    got.push(await send().catch(error => error.cause?.code ?? error.code ?? String(error)))
  return got
}

describe('bodies that are too large', () => {
  it.each(Object.entries(clients))('every 413 reaches %s', { timeout: 120_000 }, async (_, client) => {
    expect(await outcomes(() => client(refusals[0]![1]), tries)).toEqual(Array(tries).fill(413))
  })

  it.each(Object.entries(clients))(
    'every early refusal reaches %s',
    { timeout: 120_000 },
    async (_, client) => {
      for (const [what, request_, status] of refusals.slice(1)) {
        expect([what, ...(await outcomes(() => client(request_), 5))]).toEqual([
          what,
          ...Array(5).fill(status),
        ])
      }
    },
  )

  it('the official clients are told 413', { timeout: 120_000 }, async () => {
    const content = large.toString()
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
    const anthropic = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 })
    const messages = [{ role: 'user' as const, content }]
    const statusOf = (error: { status?: number }): number => error.status ?? 0
    const ask = () => openai.chat.completions.create({ model: 'plain', messages }).then(() => 200, statusOf)
    const askClaude = () =>
      anthropic.messages.create({ model: 'spare', max_tokens: 1, messages }).then(() => 200, statusOf)
    expect(await outcomes(ask, tries)).toEqual(Array(tries).fill(413))
    expect(await outcomes(askClaude, 5)).toEqual(Array(5).fill(413))
  })

  it('ends with 0 when told to stop after all that', async () => {
    rig.api.signal('SIGTERM')
    expect(await rig.api.exited).toEqual({ code: 0, signal: null })
  })
})
