import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { field, file, formHeaders, formOf } from '../forms.ts'
import { chat, openTestApi, type TestApi } from '../test-api.ts'

let keyless: TestApi
let keyed: TestApi
beforeAll(async () => {
  keyless = await openTestApi({ config: { server: { public_url: 'https://baton.example.com/api' } } })
  keyed = await openTestApi({ config: { api_keys: ['the-key'] } })
})
afterAll(async () => {
  await keyless[Symbol.asyncDispose]()
  await keyed[Symbol.asyncDispose]()
})

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const text = { 'content-type': 'text/plain;charset=UTF-8' }
const key = { authorization: 'Bearer the-key' }
const evil = { origin: 'https://evil.example' }
const crossSite = { 'sec-fetch-site': 'cross-site' }
const publicly = { origin: 'https://baton.example.com' }
const own = (api: TestApi) => ({ origin: api.url })

interface Asked {
  readonly method?: string
  readonly path?: string
  readonly body?: string | Buffer
}

/** Not by fetch, which forbids some of the headers. */
const ask = (
  api: TestApi,
  headers: Record<string, string>,
  { method = 'POST', path = '/v1/jobs', body = JSON.stringify({ body: chat() }) }: Asked = {},
): Promise<{ status: number; code: string | null }> =>
  new Promise((resolve, reject) => {
    const sent = request(api.url + path, { method, headers }, async response => {
      const text = (await response.setEncoding('utf8').toArray()).join('')
      const { error } = JSON.parse(text)
      resolve({ status: response.statusCode!, code: error?.code ?? null })
    })
    sent.on('error', reject)
    sent.end(method === 'GET' ? undefined : body)
  })

const forbidden = { status: 403, code: 'cross_site_forbidden' }
const served = { status: 202, code: null }

describe('requests across sites', () => {
  describe('while no key is asked for', () => {
    it.each([
      ['a foreign origin', { ...json, ...evil }],
      ['a foreign origin and a type that pages may send', { ...text, ...evil }],
      ['another port of this machine', { ...json, origin: 'http://localhost:3000' }],
      ['a page without an origin', { ...form, origin: 'null' }],
      ['another site, by the word of the browser', { ...form, ...crossSite }],
      ['another port, with a type that needs no asking', { ...json, 'sec-fetch-site': 'same-site' }],
      [
        'another path of the public address, by the word of the browser',
        { ...json, ...crossSite, ...publicly },
      ],
    ])('refuses %s', async (_, headers) => {
      expect(await ask(keyless, headers)).toEqual(forbidden)
    })

    it('refuses what changes something without a body, and what is read from a page', async () => {
      const path = `/v1/jobs/job_${'0'.repeat(26)}/cancel`
      expect(await ask(keyless, evil, { path, body: '' })).toEqual(forbidden)
      expect(await ask(keyless, evil, { method: 'GET' })).toEqual(forbidden)
      expect(await ask(keyless, { ...crossSite, 'sec-fetch-mode': 'no-cors' }, { method: 'GET' })).toEqual(
        forbidden,
      )
    })

    it.each(['/healthz', '/readyz', '/metrics', '/v1/providers', '/openapi.json', '/nowhere'])(
      'refuses %s to a page',
      async path => {
        for (const headers of [evil, crossSite, { origin: 'null' }]) {
          expect(await ask(keyless, headers, { method: 'GET', path })).toEqual(forbidden)
        }
      },
    )

    it('refuses to open a stream of events, and to take a file', async () => {
      const path = `/v1/jobs/job_${'0'.repeat(26)}`
      const events = { accept: 'text/event-stream', ...evil }
      expect(await ask(keyless, events, { method: 'GET', path })).toEqual(forbidden)
      const body = formOf([field('purpose', 'user_data'), file('x')])
      expect(await ask(keyless, { ...formHeaders, ...evil }, { path: '/v1/files', body })).toEqual(forbidden)
    })

    it('shows a page to whoever follows a link, and to no frame', async () => {
      const headers = { ...crossSite, 'sec-fetch-mode': 'navigate' }
      expect((await ask(keyless, headers, { method: 'GET' })).status).toBe(200)
      const framed = { ...headers, 'sec-fetch-dest': 'iframe' }
      expect(await ask(keyless, framed, { method: 'GET' })).toEqual(forbidden)
    })

    it.each([
      ['no browser', {}],
      ['its own pages', { 'sec-fetch-site': 'same-origin' }],
      ['an address that was typed', { 'sec-fetch-site': 'none' }],
      ['its public address', publicly],
    ])('serves %s', async (_, headers) => {
      for (const type of [json, form, text])
        expect(await ask(keyless, { ...type, ...headers })).toEqual(served)
    })

    it('serves its own origin', async () => {
      expect(await ask(keyless, { ...json, ...own(keyless) })).toEqual(served)
      const localhost = `localhost:${new URL(keyless.url).port}`
      expect(await ask(keyless, { ...json, host: localhost, origin: `http://${localhost}` })).toEqual(served)
    })
  })

  describe('where a key is asked for', () => {
    it('refuses a foreign page only with what pages may send without asking', async () => {
      for (const type of [form, text, {}]) {
        expect(await ask(keyed, { ...key, ...type, ...evil })).toEqual(forbidden)
        expect(await ask(keyed, { ...key, ...type, ...crossSite })).toEqual(forbidden)
        expect(
          await ask(keyed, { ...key, ...type, host: 'baton.internal', origin: 'https://baton.internal' }),
        ).toEqual(served)
      }
      expect(await ask(keyed, { ...key, ...json, ...evil, ...crossSite })).toEqual(served)
      expect((await ask(keyed, { ...key, ...evil }, { method: 'GET' })).status).toBe(200)
    })

    it('refuses a file of a foreign page', async () => {
      const body = formOf([field('purpose', 'user_data'), file('x')])
      const upload = { path: '/v1/files', body }
      expect(await ask(keyed, { ...key, ...formHeaders, ...evil }, upload)).toEqual(forbidden)
      expect((await ask(keyed, { ...key, ...formHeaders }, upload)).status).toBe(200)
    })

    it('asks for the key first', async () => {
      expect((await ask(keyed, { ...form, ...evil })).status).toBe(401)
    })
  })
})
