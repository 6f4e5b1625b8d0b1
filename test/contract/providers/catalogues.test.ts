import type { RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { Interrupt } from '../../../src/domain/interrupt.ts'
import { bedrockCatalogue } from '../../../src/providers/types/bedrock-catalogue.ts'
import { metadata } from './credentials/fake-google.ts'
import { surroundedBy } from './credentials/surroundings.ts'
import { openProvider, openUpstream } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { awsKeys, expectSigned } from './vendors/bedrock.ts'
import { callable, controlPlane } from './vendors/bedrock-control.ts'

const list = async (settings: Record<string, unknown>, key: string | null = null) =>
  openProvider(settings).listModels?.(key, new Interrupt())

describe('models of Bedrock', () => {
  const openControl = async (respond: RequestListener = controlPlane) => {
    const control = await openUpstream(respond)
    surroundedBy({ AWS_ENDPOINT_URL_BEDROCK: control.url })
    return control
  }
  const settings = { type: 'bedrock', region: 'us-east-1' }

  test('are those that answer chats, asked of the control plane with a signature for it', async () => {
    const control = await openControl()
    expect(await list({ ...settings, ...awsKeys })).toEqual(callable)
    for (const arrival of control.arrivals) expectSigned(arrival, undefined, undefined, 'GET')
    expect(control.arrivals).toHaveLength(5)
  })

  test('are asked for with a bearer key as well', async () => {
    const control = await openControl()
    expect(await list({ ...settings, api_key: 'k' }, 'bedrock-key')).toEqual(callable)
    expect(control.arrivals[0]!.headers.authorization).toBe('Bearer bedrock-key')
  })

  test('are not told where one of the lists is refused: what is not in it would seem not to be there', async () => {
    const denied = { message: 'not authorized to perform: bedrock:ListInferenceProfiles' }
    const control = await openControl((request, response) =>
      request.url!.startsWith('/inference-profiles')
        ? answering(403, denied, { 'x-amzn-errortype': 'AccessDeniedException' })(request, response)
        : controlPlane(request, response),
    )
    expect(await list({ ...settings, ...awsKeys })).toBeNull()
    expect(control.arrivals).toHaveLength(2)
  })

  test('a list that never ends is not followed for ever', async () => {
    const control = await openControl(answering(200, { nextToken: 'again' }))
    expect(await list({ ...settings, ...awsKeys })).toEqual([])
    expect(control.arrivals).toHaveLength(3 * 20)
  })

  test.each([
    ['https://bedrock-runtime.us-east-1.amazonaws.com', 'https://bedrock.us-east-1.amazonaws.com'],
    ['https://bedrock-runtime-fips.us-east-1.amazonaws.com', 'https://bedrock-fips.us-east-1.amazonaws.com'],
    ['https://bedrock-runtime.cn-north-1.amazonaws.com.cn', 'https://bedrock.cn-north-1.amazonaws.com.cn'],
    [
      'https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com',
      'https://vpce-1.bedrock.us-east-1.vpce.amazonaws.com',
    ],
    ['https://my-gateway.internal', undefined],
  ])('%s has its control plane at %s', (base, control) => {
    expect(bedrockCatalogue.host!(new URL(base), {})?.origin).toBe(control)
  })

  test('are not asked for at an address whose control plane nobody knows', async () => {
    surroundedBy({})
    const gateway = await openUpstream(answering(200, {}))
    expect(await list({ ...settings, ...awsKeys, base_url: gateway.url })).toBeUndefined()
    expect(gateway.arrivals).toEqual([])
  })
})

describe('models of Azure', () => {
  /** https://learn.microsoft.com/rest/api/azureopenai/deployments/list, version 2022-12-01 */
  const deployment = (id: string, status: string) => ({
    ...{ id, status, model: 'gpt-5.4-mini', object: 'deployment', owner: 'organization-owner' },
    ...{ scale_settings: { scale_type: 'standard' }, created_at: 1_760_000_000, updated_at: 1_760_000_000 },
  })
  const answer = {
    object: 'list',
    data: [
      deployment('mine', 'succeeded'),
      deployment('failing', 'failed'),
      deployment('other', 'succeeded'),
    ],
  }

  test.each(['', '/openai/v1', '/openai'])('are the deployments of the resource at base%s', async path => {
    const api = await openUpstream(answering(200, answer))
    const settings = { type: 'azure', base_url: api.url + path, api_key: 'k' }
    expect(await list(settings, 'az-key')).toEqual(['mine', 'other'])
    expect(api.arrivals).toMatchObject([
      { path: '/openai/deployments?api-version=2022-12-01', headers: { 'api-key': 'az-key' } },
    ])
  })

  test('are not told by a resource that knows no such list', async () => {
    const api = await openUpstream(answering(404, { error: { code: '404', message: 'Resource not found' } }))
    expect(await list({ type: 'azure', base_url: api.url, api_key: 'k' }, 'az-key')).toBeNull()
  })
})

describe('models of Vertex AI', () => {
  /** https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models/list */
  const pages: Readonly<Record<string, object>> = {
    '': {
      publisherModels: ['gemini-2.5-flash', 'imagen-4.0-generate-001', 'gemini-embedding-001'].map(named),
      nextPageToken: 'two/2',
    },
    'two/2': {
      publisherModels: ['gemini-live-2.5-flash', 'gemini-2.5-pro', 'text-embedding-005'].map(named),
    },
  }
  const garden: RequestListener = (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://garden')
    expect(pathname).toBe('/v1beta1/publishers/google/models')
    return answering(200, pages[searchParams.get('pageToken') ?? '']!)(request, response)
  }
  function named(id: string) {
    return { name: `publishers/google/models/${id}`, versionId: 'default', launchStage: 'GA' }
  }

  test.each([
    ['that the config names', { project: 'mine' }, 'mine'],
    ['of the credentials', {}, 'project-of-machine'],
  ])('are Google’s that chat, over all pages, on the quota of the project %s', async (_, more, project) => {
    const server = await openUpstream(metadata)
    surroundedBy({ GCE_METADATA_HOST: new URL(server.url).host, METADATA_SERVER_DETECTION: 'assume-present' })
    const api = await openUpstream(garden)
    const settings = { type: 'vertex', base_url: api.url, location: 'global', ...more }
    expect(await list(settings)).toEqual(['gemini-2.5-flash', 'gemini-2.5-pro'])
    expect(api.arrivals).toHaveLength(2)
    expect(api.arrivals[0]!.headers).toMatchObject({
      authorization: 'Bearer ya29.adc',
      'x-goog-user-project': project,
    })
  })
})
