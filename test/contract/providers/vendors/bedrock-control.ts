import type { RequestListener } from 'node:http'
import { expect } from 'vitest'
import { answering } from '../recording-upstream.ts'

const foundation = 'arn:aws:bedrock:us-east-1::foundation-model/'

const model = (modelId: string, way: string, more: object = {}) => ({
  modelArn: foundation + modelId,
  modelId,
  modelName: modelId,
  providerName: 'Somebody',
  inputModalities: ['TEXT'],
  outputModalities: ['TEXT'],
  responseStreamingSupported: true,
  customizationsSupported: [],
  inferenceTypesSupported: [way],
  modelLifecycle: { status: 'ACTIVE' },
  ...more,
})

const profile = (id: string, model: string, more: object = {}) => ({
  inferenceProfileName: id,
  inferenceProfileArn: `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${id}`,
  inferenceProfileId: id,
  models: [
    { modelArn: foundation + model },
    { modelArn: `arn:aws:bedrock:us-west-2::foundation-model/${model}` },
  ],
  status: 'ACTIVE',
  type: 'SYSTEM_DEFINED',
  createdAt: '2025-01-01T00:00:00Z',
  updatedAt: '2025-01-01T00:00:00Z',
  ...more,
})

export const ownProfile = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6'

const models = [
  model('amazon.titan-embed-text-v2:0', 'ON_DEMAND', { outputModalities: ['EMBEDDING'] }),
  model('anthropic.claude-3-haiku-20240307-v1:0', 'ON_DEMAND', { modelLifecycle: { status: 'LEGACY' } }),
  model('amazon.nova-pro-v1:0', 'ON_DEMAND'),
  model('anthropic.claude-sonnet-4-5-20250929-v1:0', 'INFERENCE_PROFILE'),
  model('amazon.nova-pro-v1:0:300k', 'PROVISIONED'),
  model('stability.upscale-v1:0', 'INFERENCE_PROFILE', { outputModalities: ['IMAGE'] }),
]

const profiles: Readonly<Record<string, readonly object[]>> = {
  SYSTEM_DEFINED: [
    profile('us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'anthropic.claude-sonnet-4-5-20250929-v1:0'),
    profile('us.stability.upscale-v1:0', 'stability.upscale-v1:0'),
    profile('global.cohere.elsewhere-v1:0', 'cohere.elsewhere-v1:0'),
  ],
  APPLICATION: [
    profile('a1b2c3d4e5f6', 'amazon.nova-pro-v1:0', { type: 'APPLICATION', inferenceProfileArn: ownProfile }),
  ],
}

/** What of the above answers chats: what is new before what is on its way out. */
export const callable = [
  'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  'global.cohere.elsewhere-v1:0',
  ownProfile,
  'amazon.nova-pro-v1:0',
  'anthropic.claude-3-haiku-20240307-v1:0',
]

/**
 * The control plane: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html and
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListInferenceProfiles.html. A page has one profile, however many are
 * asked for: that is a maximum.
 */
export const controlPlane: RequestListener = (request, response) => {
  expect(request.method).toBe('GET')
  const { pathname, searchParams } = new URL(request.url!, 'http://control')
  if (pathname === '/foundation-models') return answering(200, { modelSummaries: models })(request, response)
  expect(pathname).toBe('/inference-profiles')
  expect(Number(searchParams.get('maxResults'))).toBeLessThanOrEqual(1_000)
  const all = profiles[searchParams.get('type')!]!
  const at = Number(searchParams.get('nextToken') ?? 0)
  const next = at + 1 < all.length ? { nextToken: String(at + 1) } : {}
  answering(200, { inferenceProfileSummaries: all.slice(at, at + 1), ...next })(request, response)
}
