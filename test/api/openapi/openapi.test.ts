import { readFileSync } from 'node:fs'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientTypes } from '../../../release/client-types.ts'
import { operations } from '../../../src/api/openapi/describe-route.ts'
import { errorsBeforeRouting } from '../../../src/api/openapi/error-sets.ts'
import { errorCodes } from '../../../src/domain/errors.ts'
import { jobErrorCodes } from '../../../src/domain/job.ts'
import { field, file, postForm } from '../forms.ts'
import { routesOfApp } from '../routes-of-app.ts'
import { type Call, call, chat, endJob, failure, openTestApi, submitJob, type TestApi } from '../test-api.ts'
import { codesOf, type Document, routesOf } from './document.ts'
import { faultsOf } from './faults-of.ts'

let api: TestApi
let document: Document
beforeAll(async () => {
  api = await openTestApi()
  document = (await call(api, 'GET', '/openapi.json')).json
})
afterAll(() => api[Symbol.asyncDispose]())

/** The page signs in by paths of its own, which are no part of the API that is described. */
const ofThePage = ['too_many_sign_ins']

describe('the OpenAPI document', () => {
  it('describes every route that there is, and no other', () => {
    const routes = routesOfApp(api)
    expect(routes.length).toBeGreaterThan(35)
    expect(Object.keys(operations).toSorted()).toEqual(routes.toSorted())
    expect(routesOf(document)).toHaveLength(routes.length)
  })

  it.each([
    ['br;q=0.5, gzip', 'br', brotliDecompressSync],
    ['gzip, br;q=0', 'gzip', gunzipSync],
    ['identity', undefined, (bytes: Buffer) => bytes],
  ] as const)('is sent to a client that takes %s as %s', async (taken, encoding, unpack) => {
    const headers = { 'accept-encoding': taken }
    const answer = await api.app.inject({ url: '/openapi.json', headers })
    expect(answer.headers).toMatchObject({ vary: expect.stringMatching(/accept-encoding/i) })
    expect(answer.headers['content-encoding']).toBe(encoding)
    expect(JSON.parse(unpack(answer.rawPayload).toString())).toEqual(document)
    if (encoding !== undefined) expect(answer.rawPayload.length).toBeLessThan(60_000)
  })

  it('is well-formed OpenAPI 3.1', () => {
    expect(faultsOf(document)).toEqual([])
  })

  it('gives a linter nothing to warn of', async () => {
    // A retired operation has no success; `faultsOf` sees that all others have.
    const rules = { 'operation-2xx-response': 'off' } as const
    const config = await createConfig({ extends: ['recommended-strict'], rules })
    const problems = await lintFromString({
      source: JSON.stringify(document),
      absoluteRef: 'openapi.json',
      config,
    })
    expect(problems.map(({ ruleId, location }) => [ruleId, location[0]?.pointer])).toEqual([])
  })

  it('tells an invalid document when it sees one', () => {
    const broken = structuredClone(document) as { paths: Record<string, Record<string, object>> }
    broken.paths['/v1/other/{id}'] = { get: { ...broken.paths['/healthz']!.get, tags: ['None'] } }
    expect(faultsOf(broken as unknown as Document)).toEqual([
      'isAlive is there twice',
      'GET /v1/other/{id}: None',
      'GET /v1/other/{id}: path has id, parameters are ',
    ])
  })

  it('is what the types of the client were made of: `npm run client-types`', () => {
    const path = new URL('../../../src/client/api-types.ts', import.meta.url)
    expect(readFileSync(path, 'utf8')).toBe(clientTypes(document))
  })

  it('names every error code, with its status', () => {
    const described = routesOf(document).flatMap(({ operation }) =>
      [...codesOf(document, operation)].flatMap(([status, codes]) =>
        [...codes].map(code => [code, status] as const),
      ),
    )
    for (const [code, status] of described) {
      if (code in errorCodes) expect([code, status]).toEqual([code, errorCodes[code as 'not_found'].status])
    }
    const named = new Set([...described.map(([code]) => code), ...errorsBeforeRouting, ...ofThePage])
    expect(named).toEqual(new Set([...Object.keys(errorCodes), ...Object.keys(jobErrorCodes)]))
    for (const code of errorsBeforeRouting) expect(document.info.description).toContain(code)
  })

  it('says what a request must have', () => {
    const body = document.paths['/v1/jobs']!.post!.requestBody!
    expect(body.required).toBe(true)
    expect(body.content['application/json']!.schema).toMatchObject({
      required: ['body'],
      additionalProperties: false,
      properties: { body: { required: ['model'] }, completion_window: { type: 'string' } },
    })
    expect(document.paths['/v1/batches/{id}/retry']!.post!.requestBody!.required).toBe(false)
    const content = document.paths['/v1/files']!.post!.requestBody!.content['multipart/form-data']!
    expect(content.schema.properties!.file).toEqual({ type: 'string', format: 'binary' })
  })

  it('tells the types in which a job can be read', () => {
    const { responses } = document.paths['/v1/jobs/{id}']!.get!
    expect(responses['200']!.content).toEqual({
      'application/json': { schema: { $ref: '#/components/schemas/Job' } },
      'text/event-stream': { schema: { type: 'string' } },
    })
    expect(responses['204']).toEqual({ description: expect.stringContaining('Last-Event-ID') })
  })

  it('wants a key where the API does, and is itself behind it', async () => {
    await using guarded = await openTestApi({ config: { api_keys: ['right'] } })
    expect((await call(guarded, 'GET', '/openapi.json')).status).toBe(401)
    const headers = { 'x-api-key': 'right' }
    const { json } = await call(guarded, 'GET', '/openapi.json', { headers })
    for (const { method, path, operation } of routesOf(json as Document)) {
      const { status } = await call(guarded, method, path)
      expect([path, status === 401]).toEqual([path, operation.security === undefined])
      expect([path, codesOf(document, operation).has(401)]).toEqual([path, status === 401])
    }
  })

  it('names the address that clients reach this server by', async () => {
    const public_url = 'https://baton.example'
    await using there = await openTestApi({ config: { server: { public_url } } })
    expect((await call(there, 'GET', '/openapi.json')).json.servers).toEqual([{ url: public_url }])
  })

  describe('what is answered has the fields that are described, and no others', () => {
    /** `schema` drops fields that it does not know. */
    const matches = async (route: string, path: string, more: Call = {}, expected = 200): Promise<void> => {
      const { status, json } = await call(api, route.split(' ')[0]!, path, more)
      expect([route, status]).toEqual([route, expected])
      expect(operations[route]!.responses[status]!.schema.parse(json)).toEqual(json)
    }

    it('jobs', async () => {
      await matches('POST /v1/jobs', '/v1/jobs', { body: { body: chat(), metadata: { a: 'b' } } }, 202)
      const [ended, failed, open] = [await submitJob(api), await submitJob(api), await submitJob(api)]
      await endJob(api, ended.id)
      await endJob(api, failed.id, failure)
      await matches('GET /v1/jobs/:id', `/v1/jobs/${ended.id}`)
      await matches('GET /v1/jobs/:id', `/v1/jobs/${failed.id}`)
      await matches('POST /v1/jobs/:id/cancel', `/v1/jobs/${open.id}/cancel`)
      await matches('POST /v1/jobs/:id/retry', `/v1/jobs/${failed.id}/retry`, {}, 202)
      await matches('GET /v1/jobs', '/v1/jobs')
    })

    it('files and uploads', async () => {
      const made = await postForm(api, '/v1/files', [field('purpose', 'batch'), file('{}\n')])
      expect(operations['POST /v1/files']!.responses[200]!.schema.parse(made.json)).toEqual(made.json)
      await matches('GET /v1/files', '/v1/files')
      await matches('GET /v1/files/:id', `/v1/files/${made.json.id}`)
      const body = { filename: 'a', bytes: 3, mime_type: 'text/plain', purpose: 'user_data' }
      await matches('POST /v1/uploads', '/v1/uploads', { body })
      const { id } = (await call(api, 'POST', '/v1/uploads', { body })).json
      const part = await postForm(api, `/v1/uploads/${id}/parts`, [{ ...file('abc'), name: 'data' }])
      expect(operations['POST /v1/uploads/:id/parts']!.responses[200]!.schema.parse(part.json)).toEqual(
        part.json,
      )
      await matches('POST /v1/uploads/:id/complete', `/v1/uploads/${id}/complete`, {
        body: { part_ids: [part.json.id] },
      })
      const other = (await call(api, 'POST', '/v1/uploads', { body })).json.id
      await matches('POST /v1/uploads/:id/cancel', `/v1/uploads/${other}/cancel`)
      await matches('DELETE /v1/files/:id', `/v1/files/${made.json.id}`)
    })

    it('batches', async () => {
      const { json } = await postForm(api, '/v1/files', [field('purpose', 'batch'), file('{}\n')])
      const body = {
        input_file_id: json.id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
        metadata: { a: 'b' },
      }
      await matches('POST /v1/batches', '/v1/batches', { body })
      const { input_file_id, ...rest } = body
      await matches('POST /v1/batches/check', '/v1/batches/check', {
        body: { ...rest, models: ['gpt-4', 'x'] },
      })
      await matches('GET /v1/batches', '/v1/batches')
      const { id } = (await call(api, 'POST', '/v1/batches', { body })).json
      await matches('GET /v1/batches/:id', `/v1/batches/${id}`)
      await matches('POST /v1/batches/:id/cancel', `/v1/batches/${id}/cancel`)
    })

    it('message batches', async () => {
      const body = { requests: [{ custom_id: 'a', params: { ...chat(), max_tokens: 1 } }] }
      await matches('POST /v1/messages/batches', '/v1/messages/batches', { body })
      await matches('GET /v1/messages/batches', '/v1/messages/batches')
      const { id } = (await call(api, 'POST', '/v1/messages/batches', { body })).json
      await matches('GET /v1/messages/batches/:id', `/v1/messages/batches/${id}`)
      await matches('POST /v1/messages/batches/:id/cancel', `/v1/messages/batches/${id}/cancel`)
    })

    it('what operators read', async () => {
      const headers = { 'anthropic-version': '2023-06-01' }
      await matches('GET /v1/models', '/v1/models')
      await matches('GET /v1/models', '/v1/models', { headers })
      await matches('GET /v1/models/*', '/v1/models/meta/llama')
      await matches('GET /v1/models/*', '/v1/models/gpt-4', { headers })
      await matches('GET /v1/providers', '/v1/providers')
      await matches('GET /v1/routes', '/v1/routes')
      await matches('GET /v1/mirrors', '/v1/mirrors')
      await matches('GET /v1/dead-letters', '/v1/dead-letters')
      await matches('GET /healthz', '/healthz')
      await matches('GET /readyz', '/readyz')
    })
  })
})
