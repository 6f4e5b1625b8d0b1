// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { describe, expect, test } from 'vitest'
import type { Fault } from '../../src/config/fault.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configFolder, faultsOf, withProvider } from './config-folder.ts'

const sim = '{type: simulated}'

describe('checks across settings', () => {
  describe('a relation that does not hold, with its path and suggestion', () => {
    const cases: [name: string, text: string, fault: Partial<Fault>][] = [
      [
        'a route to an unknown provider',
        `providers: {openai: ${sim}}\nmodels:\n  gpt-4: {provider: opena}`,
        {
          code: 'relation',
          path: 'models.gpt-4.provider',
          message: 'there is no provider "opena"',
          suggestion: 'openai',
          line: 3,
        },
      ],
      [
        'a provider that only an object prototype knows',
        'models: {m: {provider: constructor}}',
        { code: 'relation', path: 'models.m.provider', message: 'there is no provider "constructor"' },
      ],
      [
        'a fallback to an unknown route',
        `providers: {p: ${sim}}\nmodels: {claude-3-sonnet: {provider: p, fallback_to: claude-3-sonet}}`,
        {
          code: 'relation',
          path: 'models.claude-3-sonnet.fallback_to',
          message: 'there is no route "claude-3-sonet"',
          suggestion: 'claude-3-sonnet',
        },
      ],
      [
        'an unknown route in a list of fallbacks',
        `providers: {p: ${sim}}\nmodels: {a: {provider: p, fallback_to: [b, zzz]}, b: {provider: p}}`,
        { code: 'relation', path: 'models.a.fallback_to[1]', message: 'there is no route "zzz"' },
      ],
      [
        'weights without their strategy',
        `providers: {p: ${sim}}\nmodels: {a: {provider: p, weights: {p: 1}}}`,
        {
          code: 'relation',
          path: 'models.a.weights',
          message: 'is of no use without strategy: weighted',
        },
      ],
      [
        'a weight for nobody in the chain',
        `providers: {p: ${sim}, q: ${sim}}\nmodels:\n  a: {provider: p, fallback_to: spare, strategy: weighted, weights: {p: 1, spar: 1}}\n  spare: {provider: q}`,
        {
          code: 'relation',
          path: 'models.a.weights.spar',
          message: 'no such route or provider in this chain',
          suggestion: 'spare',
          line: 3,
        },
      ],
      [
        'weights that come to nothing',
        `providers: {p: ${sim}}\nmodels: {a: {provider: p, strategy: weighted, weights: {p: 0, a: 0}}}`,
        { code: 'relation', path: 'models.a.weights', message: 'add up to 0: no target would have a share' },
      ],
      [
        'a loop of fallbacks',
        `providers: {p: ${sim}}\nmodels:\n  a: {provider: p, fallback_to: b}\n  b: {provider: p, fallback_to: a}`,
        { code: 'relation', path: 'models.a.fallback_to', message: 'loops: a -> b -> a', line: 3 },
      ],
      [
        'a model that its provider does not list',
        'providers: {p: {type: simulated, models: {gpt-4: {}}}}\nmodels: {gpt-44: {provider: p}}',
        {
          code: 'relation',
          path: 'models.gpt-44',
          message: 'provider "p" does not list the model "gpt-44"',
          suggestion: 'gpt-4',
        },
      ],
      [
        'an upstream model that its provider does not list',
        'providers: {p: {type: simulated, models: {large: {}}}}\nmodels: {m: {provider: p, upstream_model: lage}}',
        { code: 'relation', path: 'models.m.upstream_model', suggestion: 'large' },
      ],
      [
        'api_key beside api_keys',
        'providers: {p: {type: openai, api_key: a, api_keys: [b]}}',
        {
          code: 'relation',
          path: 'providers.p.api_keys',
          message: 'api_key and api_keys are both set; keep one',
        },
      ],
      [
        'openai without a key',
        'providers:\n  p: {type: openai}',
        {
          code: 'relation',
          path: 'providers.p.api_key',
          message: 'a provider of type openai needs api_key or api_keys',
          line: 2,
        },
      ],
      [
        'anthropic with a key that is left out',
        'providers: {p: {type: anthropic, api_key: "${KEY:-}"}}',
        { code: 'relation', path: 'providers.p.api_key' },
      ],
      [
        'openai-compatible without an address',
        'providers: {p: {type: openai-compatible}}',
        { code: 'relation', path: 'providers.p.base_url' },
      ],
      [
        'a cache with no room for its longest answers',
        'providers: {p: {type: simulated}}\nmodels: {m: {provider: p, cache: {max_total_bytes: 1000000}}}',
        {
          code: 'relation',
          path: 'models.m.cache.max_total_bytes',
          message: 'is too little: answers of max_bytes (262144) need at least 4194304',
          line: 2,
        },
      ],
      [
        'a mirror to no route',
        'providers: {p: {type: simulated}}\nmodels: {big: {provider: p}, m: {provider: p, mirror: {to: bog}}}',
        { path: 'models.m.mirror.to', message: 'there is no route "bog"', suggestion: 'big', line: 2 },
      ],
      [
        'a mirror to no provider',
        'providers: {p: {type: simulated}}\nmodels: {m: {provider: p, mirror: {to: q/large}}}',
        { path: 'models.m.mirror.to', message: 'there is neither a route "q/large" nor a provider "q"' },
      ],
      [
        'a mirror to a model that its provider does not list',
        'providers: {p: {type: simulated, models: {small: {}}}}\nmodels: {small: {provider: p, mirror: {to: p/large}}}',
        { path: 'models.small.mirror.to', message: 'provider "p" does not list the model "large"' },
      ],
      [
        'a mirror to the route itself',
        'providers: {p: {type: simulated}}\nmodels: {m: {provider: p, mirror: {to: m}}}',
        {
          path: 'models.m.mirror.to',
          message: 'is where the route itself leads: there would be nothing to compare',
        },
      ],
      [
        'a mirror to the model that the route asks under another name',
        'providers: {p: {type: simulated}}\nmodels: {m: {provider: p, upstream_model: x, mirror: {to: p/x}}}',
        { path: 'models.m.mirror.to' },
      ],
      [
        'a mirror that cannot have its key',
        'providers: {p: {type: simulated}, q: {type: openai, api_key: "${NO_SUCH_KEY}"}}\nmodels: {m: {provider: p, mirror: {to: q/x}}}',
        { path: 'providers.q.api_key' },
      ],
      [
        'a format where none is chosen',
        'providers: {p: {type: openai, api_key: k, format: anthropic}}',
        {
          code: 'relation',
          path: 'providers.p.format',
          message: 'only a provider of type simulated has format',
        },
      ],
      [
        'connecting for longer than the whole call may take',
        'providers: {p: {type: simulated, timeout: 5s, connect_timeout: 6s}}',
        {
          code: 'relation',
          path: 'providers.p.connect_timeout',
          message: 'is longer than timeout (5s)',
        },
      ],
      [
        'an answer larger than the window',
        'providers: {p: {type: simulated, models: {m: {context_window: 10, max_output_tokens: 20}}}}',
        { code: 'relation', path: 'providers.p.models.m.max_output_tokens' },
      ],
      [
        'an allowed network that is an address',
        'webhooks:\n  allowed_networks:\n    - 10.0.0.0/8\n    - 127.0.0.1',
        {
          code: 'relation',
          path: 'webhooks.allowed_networks[1]',
          message: 'expected a network such as 10.0.0.0/8',
          suggestion: '127.0.0.1/32',
          line: 4,
        },
      ],
      [
        'an allowed IPv6 address',
        'webhooks: {allowed_networks: ["::1"]}',
        { path: 'webhooks.allowed_networks[0]', suggestion: '::1/128' },
      ],
      [
        'an allowed host name',
        'webhooks: {allowed_networks: [localhost]}',
        { code: 'relation', path: 'webhooks.allowed_networks[0]' },
      ],
      [
        'a directory beside a bucket',
        'storage:\n  path: blobs\n  s3: {bucket: b}',
        { code: 'relation', path: 'storage.s3', message: 'path and s3 are both set; keep one', line: 3 },
      ],
      [
        'half a key of S3',
        'storage: {s3: {bucket: b, access_key_id: an-id}}',
        {
          code: 'relation',
          path: 'storage.s3.secret_access_key',
          message: 'is missing: one key is no use without the other',
        },
      ],
      [
        'half a key of S3, the other one left out',
        'storage: {s3: {bucket: b, access_key_id: "${KEY:-}", secret_access_key: s}}',
        { code: 'relation', path: 'storage.s3.access_key_id' },
      ],
      [
        'a key that stands twice',
        'api_keys: [one, two, {key: one, role: operator}]',
        { code: 'relation', path: 'api_keys[2].key', message: 'is the same key as api_keys[0]', line: 1 },
      ],
      [
        'one port for both',
        'server: {port: 8000, admin_port: 8000}',
        { code: 'relation', path: 'server.admin_port', line: 1 },
      ],
      [
        'the usual port for both',
        'server: {admin_port: 8000}',
        { code: 'relation', path: 'server.admin_port', line: 1 },
      ],
      [
        "figures for other machines without an operator's key",
        'server: {admin_port: 9464, admin_host: 0.0.0.0}\napi_keys: [k]',
        { code: 'relation', path: 'server.admin_host', line: 1 },
      ],
      [
        'every web page without a client key',
        'server: {cors_origins: ["https://a.example", "*"]}',
        { code: 'relation', path: 'server.cors_origins[1]', line: 1 },
      ],
      [
        'a wide host without client keys',
        'server: {host: 0.0.0.0}',
        { code: 'relation', path: 'server.host', line: 1 },
      ],
      [
        'a host name without client keys',
        'server: {host: baton.lan}',
        { code: 'relation', path: 'server.host' },
      ],
    ]

    test.each(cases)('%s', (_, text, expected) => {
      const faults = faultsOf(text)
      expect(faults).toHaveLength(1)
      expect(faults[0]).toMatchObject(expected)
      expect(faults[0]?.suggestion).toBe(expected.suggestion)
    })
  })

  test.each([
    ['loopback needs no client keys', 'server: {host: 127.0.0.2}'],
    ['nor does its name', 'server: {host: localhost}'],
    ['two ports that are any', 'server: {port: 0, admin_port: 0}'],
    ['with client keys every page may call', 'server: {cors_origins: ["*"]}\napi_keys: [k]'],
    ['with client keys it may be wide', 'server: {host: "::"}\napi_keys: [k]'],
    ['a provider without a list takes any model', `providers: {p: ${sim}}\nmodels: {m: {provider: p}}`],
    [
      'a route may go by its own name or the upstream one',
      'providers: {p: {type: simulated, models: {a: {}}}}\nmodels: {a: {provider: p, upstream_model: x}, b: {provider: p, upstream_model: a}}',
    ],
  ])('%s', (_, text) => {
    expect(() =>
      loadConfig({ cwd: configFolder({ 'baton.yaml': withProvider(text) }), env: {} }),
    ).not.toThrow()
  })
})
