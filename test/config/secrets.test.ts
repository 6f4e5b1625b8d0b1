import { describe, expect, it } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'
import { secretsOf } from '../../src/config/secrets.ts'

const basic = Buffer.from('joe:basic-pass').toString('base64')
const config = configSchema.parse({
  providers: {
    a: {
      type: 'openai-compatible',
      base_url: 'https://user:url%2Dpass@proxy.test/v1',
      api_keys: ['sk-first', 'sk-second'],
      headers: {
        authorization: `Basic ${basic}`,
        'x-corp-gateway': 'gateway-value',
        cookie: 'session=1',
        'openai-organization': 'org-open',
        'user-agent': 'agent-open',
      },
      models: { m: {} },
    },
    b: {
      type: 'bedrock',
      region: 'us-east-1',
      access_key_id: 'AK1',
      secret_access_key: 'SK1',
      session_token: 'ST1',
    },
    c: {
      type: 'vertex',
      project: 'project-open',
      location: 'us-central1',
      credentials: '{"type":"service_account","private_key":"PEM"}',
    },
  },
  models: { token: { provider: 'a' } },
  api_keys: ['client-one', { key: 'client-two', tenant: 'tenant-open' }],
  webhooks: { secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` },
  redis: { url: 'redis://:redis-pass@127.0.0.1:6379' },
  storage: { s3: { bucket: 'b', access_key_id: 'S3K', secret_access_key: 'S3S' } },
})

describe('secrets of a config', () => {
  it('all secrets of a config are found, and nothing that is none', () => {
    const secrets = secretsOf(config)
    expect(secrets).toEqual(
      expect.arrayContaining([
        ...['sk-first', 'sk-second', 'url-pass', 'user:url-pass', 'joe:basic-pass', 'basic-pass', basic],
        ...['gateway-value', 'session=1', 'AK1', 'SK1', 'ST1', 'PEM', 'client-one', 'client-two'],
        ...[config.webhooks.secret, 'redis-pass', 'S3K', 'S3S'],
      ]),
    )
    for (const secret of secrets) expect(secret).not.toMatch(/open$|^(?:token|default|default|us-east-1)$/)
  })

  it('finds what proxies are told, as it is written and as it is sent', () => {
    const proxied = configSchema.parse({
      providers: { a: { type: 'openai', api_key: 'k', proxy: 'own:own%40pass@p.test:3128', models: {} } },
      proxy: { http: 'http://joe:http-pass@p.test', https: 'http://lone-token@p.test' },
      webhooks: { proxy: 'http://w:hook-pass@p.test' },
    })
    expect(secretsOf(proxied)).toEqual(
      expect.arrayContaining([
        'own%40pass',
        'own@pass',
        'own:own@pass',
        'http-pass',
        'joe:http-pass',
        'lone-token',
        'hook-pass',
      ]),
    )
  })

  it('refuses a proxy whose password could not be sent, and tells no part of it', () => {
    const read = configSchema.safeParse({ proxy: { http: 'http://joe:half%zz@p.test' } })
    expect(read.error?.issues).toMatchObject([
      { path: ['proxy', 'http'], message: 'expected a user and password with each % written as %25' },
    ])
  })
})
