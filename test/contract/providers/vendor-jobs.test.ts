import { Writable } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openBaton } from '../../support/open-baton.ts'
import { openUpstream } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { awsKeys, bedrock, expectSigned } from './vendors/bedrock.ts'
import { google } from './vendors/gemini.ts'
import { serviceAccount, tokenAnswer, vertex } from './vendors/vertex.ts'

/** Gemini with Bedrock behind it and Vertex AI behind that, each on a server of its own, and a worker for each. */
const open = async (gemini: { status: number; body: unknown }) => {
  const lines: string[] = []
  const upstreams = {
    google: await openUpstream(answering(gemini.status, gemini.body)),
    bedrock: await openUpstream(answering(200, bedrock.answer({ text: 'from Bedrock' }))),
    vertex: await openUpstream(answering(200, vertex.answer({ text: 'from Vertex' }))),
    tokens: await openUpstream(answering(200, tokenAnswer)),
  }
  const settings = {
    google: { ...(await google.settings(upstreams.google.url)), api_key: google.key },
    bedrock: await bedrock.settings(upstreams.bedrock.url),
    vertex: {
      ...(await vertex.settings(upstreams.vertex.url)),
      credentials: serviceAccount(`${upstreams.tokens.url}/token`),
    },
  }
  const baton = await openBaton({
    level: 'workers',
    config: {
      providers: settings,
      models: {
        gemini: { provider: 'google', upstream_model: google.model, fallback_to: 'nova' },
        nova: { provider: 'bedrock', upstream_model: bedrock.model, fallback_to: 'vertex' },
        vertex: { provider: 'vertex', upstream_model: vertex.model },
      },
    },
    logTo: new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(String(chunk))
        done()
      },
    }),
  })
  onTestFinished(() => baton.stop())
  return { baton, upstreams, log: () => lines.join('') }
}

describe('jobs at vendors without an OpenAI format', () => {
  test('a job is answered by Gemini in the words of OpenAI', async () => {
    const { baton, upstreams } = await open({ status: 200, body: google.answer({ text: 'four' }) })
    const job = await baton.ended(await baton.chat('gemini'))
    expect(job.attempts.map(a => `${a.provider} ${a.verdict}`)).toEqual(['google ok'])
    expect(job.usage).toEqual({ input_tokens: 20, output_tokens: 5 })
    expect(JSON.parse(job.response!.body)).toMatchObject({ choices: [{ message: { content: 'four' } }] })
    google.checkAuth(upstreams.google.arrivals[0]!)
  })

  test('a throttled Gemini hands over, says for how long, and no key gets into the log', async () => {
    const { baton, upstreams, log } = await open(google.errors.throttled)
    const job = await baton.ended(await baton.chat('gemini'))
    expect(job.attempts.map(a => `${a.provider} ${a.verdict}`)).toEqual(['google rate_limited', 'bedrock ok'])
    expect(job.attempts[0]).toMatchObject({ reason: 'resource_exhausted', retry_after_ms: 37_000 })
    expectSigned(upstreams.bedrock.arrivals[0]!)

    const signature = /Signature=(\w+)/.exec(upstreams.bedrock.arrivals[0]!.headers.authorization!)![1]!
    const secrets = [
      google.key!,
      awsKeys.secret_access_key,
      awsKeys.access_key_id,
      signature,
      'ya29',
      'PRIVATE',
    ]
    expect(log()).toContain('attempt failed')
    for (const secret of secrets) expect(log()).not.toContain(secret)
  })

  test('a target that cannot carry a parameter is passed over without a call', async () => {
    const { baton, upstreams } = await open(google.errors.unavailable)
    const content = [{ type: 'image_url', image_url: { url: 'https://example.test/a.png' } }]
    const body = { model: 'gemini', messages: [{ role: 'user', content }] }
    const id = await baton.chat('gemini', { body: JSON.stringify(body), parsedBody: body })
    const job = await baton.ended(id)
    expect(job.attempts.map(a => a.provider)).toEqual(['google', 'vertex'])
    expect(upstreams.bedrock.arrivals).toEqual([])
    expect(upstreams.tokens.arrivals).toHaveLength(1)
  })

  test('a parameter that none can carry is refused by its name', async () => {
    const { baton } = await open(google.errors.unavailable)
    const body = { model: 'gemini', n: 2, messages: [{ role: 'user', content: 'hi' }] }
    await expect(
      baton.chat('gemini', { body: JSON.stringify(body), parsedBody: body }),
    ).rejects.toMatchObject({
      param: 'n',
    })
  })
})
