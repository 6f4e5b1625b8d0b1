import { describe, expect, test } from 'vitest'
import type { Fault } from '../../src/config/fault.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configFolder, faultsOf } from './config-folder.ts'

const account = `'{"type": "service_account", "client_email": "a@b", "private_key": "k"}'`
const gcp = 'project: p, location: us-central1'
const aws = 'access_key_id: a, secret_access_key: b'

const cases: [settings: string, fault: Partial<Fault>][] = [
  ...[`vertex, ${gcp}, credentials: ${account}`, `bedrock, region: r, ${aws}`].map(
    (type): [string, Partial<Fault>] => [
      `type: ${type}, health_check: {}`,
      {
        path: 'providers.p.health_check.kind',
        message: `a provider of type ${type.split(',')[0]} has no list of models to ask for`,
        suggestion: 'completion',
      },
    ],
  ),
  [
    'type: openai, api_key: k, health_check: {model: m}',
    { path: 'providers.p.health_check.model', message: 'only kind completion names a model' },
  ],
  [
    'type: openai, api_key: k, models: {large: {}}, health_check: {kind: completion, model: larg}',
    {
      path: 'providers.p.health_check.model',
      message: 'the provider does not list this model',
      suggestion: 'large',
    },
  ],
  ...['google', 'cohere', 'mistral'].map((type): [string, Partial<Fault>] => [
    `type: ${type}`,
    {
      path: 'providers.p.api_key',
      message: `a provider of type ${type.split(',')[0]} needs api_key or api_keys`,
    },
  ]),
  [
    'type: azure, api_key: k',
    { path: 'providers.p.resource', message: 'a provider of type azure needs resource or base_url' },
  ],
  [
    'type: azure, api_key: k, resource: r, base_url: "https://r.test"',
    { path: 'providers.p.resource', message: 'resource and base_url are both set; keep one' },
  ],
  ['type: azure, api_key: k, resource: "a/b"', { code: 'invalid', path: 'providers.p.resource' }],
  [
    'type: azure, api_key: k, resource: r, api_version: soon',
    { code: 'invalid', path: 'providers.p.api_version' },
  ],
  [
    `type: vertex, project: p, credentials: ${account}`,
    { path: 'providers.p.location', message: 'a provider of type vertex needs location' },
  ],
  [
    `type: vertex, ${gcp}, credentials: ${account}, credentials_file: f`,
    {
      path: 'providers.p.credentials_file',
      message: 'credentials and credentials_file are both set; keep one',
    },
  ],
  [
    `type: vertex, ${gcp}, credentials: SECRET`,
    {
      path: 'providers.p.credentials',
      message: "expected the JSON of a service account's key, or of other credentials of Google's",
    },
  ],
  [
    `type: vertex, ${gcp}, credentials_file: f, api_key: k`,
    { path: 'providers.p.api_key', message: 'is no use to type vertex, which takes credentials' },
  ],
  [
    `type: bedrock, ${aws}`,
    { path: 'providers.p.region', message: 'a provider of type bedrock needs region' },
  ],
  [
    'type: bedrock, region: us-east-1, access_key_id: a',
    { path: 'providers.p.secret_access_key', message: 'a provider of type bedrock needs secret_access_key' },
  ],
  [
    `type: bedrock, region: us-east-1, ${aws}, api_key: k`,
    { path: 'providers.p.access_key_id', message: 'stands beside a bearer key; keep one' },
  ],
  [
    'type: bedrock, region: us-east-1, api_key: k, profile: work',
    { path: 'providers.p.profile', message: 'stands beside a bearer key; keep one' },
  ],
  [
    `type: bedrock, region: us-east-1, ${aws}, profile: work`,
    { path: 'providers.p.profile', message: 'stands beside access_key_id; keep one' },
  ],
  ['type: bedrock, region: us-east-1, role_arn: my-role', { code: 'invalid', path: 'providers.p.role_arn' }],
  [
    'type: azure, resource: r, api_key: k, tenant_id: t',
    { path: 'providers.p.tenant_id', message: 'stands beside a key, which needs no Entra ID; keep one' },
  ],
  [
    'type: azure, resource: r, client_secret: SECRET, tenant_id: t',
    { path: 'providers.p.client_id', message: 'a provider of type azure needs client_id' },
  ],
  ['type: bedrock, region: us-east-1, api_key: k, session_token: t', { path: 'providers.p.session_token' }],
  ['type: bedrock, region: "us east", api_key: k', { code: 'invalid', path: 'providers.p.region' }],
  [
    'type: openai, api_key: k, region: us-east-1',
    { path: 'providers.p.region', message: 'only a provider of type bedrock has region' },
  ],
  [
    'type: google, api_key: k, project: p',
    { path: 'providers.p.project', message: 'only a provider of type vertex has project' },
  ],
]

describe('checks across settings of vendors', () => {
  test.each(cases)('refused: {%s}', (settings, fault) => {
    const faults = faultsOf(`providers: {p: {${settings}}}`)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatchObject({ code: 'relation', ...fault })
    expect(JSON.stringify(faults)).not.toContain('SECRET')
  })

  test.each([
    'type: azure, api_key: k, resource: my-resource, api_version: 2024-10-21',
    'type: azure, api_keys: [k, l], base_url: "https://r.test/openai/v1"',
    'type: azure, resource: r',
    'type: azure, resource: r, tenant_id: t, client_id: c, client_secret: s, authority: "https://login.microsoftonline.us"',
    'type: google, api_key: k',
    'type: vertex, location: global',
    `type: vertex, location: global, credentials: '{"type": "external_account"}'`,
    'type: bedrock, region: r',
    'type: bedrock, region: r, profile: my team',
    'type: bedrock, region: r, role_arn: "arn:aws:iam::123456789012:role/a/b"',
    `type: vertex, ${gcp}, credentials: ${account}`,
    `type: vertex, ${gcp}, credentials_file: f`,
    'type: cohere, api_key: k',
    `type: bedrock, region: us-east-1, ${aws}`,
    `type: bedrock, region: us-east-1, ${aws}, session_token: t`,
    'type: bedrock, region: us-east-1, api_key: k',
    'type: mistral, api_key: k',
  ])('taken: {%s}', settings => {
    const folder = configFolder({ 'baton.yaml': `providers: {p: {${settings}}}` })
    expect(Object.keys(loadConfig({ cwd: folder, env: {} }).providers)).toEqual(['p'])
  })
})
