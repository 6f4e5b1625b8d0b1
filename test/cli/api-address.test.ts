import { describe, expect, test } from 'vitest'
import { type ApiOptions, findApi } from '../../src/cli/api-address.ts'
import { ConfigError } from '../../src/config/fault.ts'
import { configFolder } from '../config/config-folder.ts'

const find = (
  options: ApiOptions,
  { files = {}, env = {} }: { files?: Record<string, string>; env?: Record<string, string> } = {},
) => findApi({ cwd: configFolder(files), env }, options)

const own = { 'baton.yaml': 'server: {port: 8111}\napi_keys: [first-key, second-key]\n' }

describe('the address and key of the API for a command', () => {
  describe('where the API is', () => {
    test('without anything, the default server, without a key', () => {
      expect(find({})).toEqual({ url: 'http://127.0.0.1:8000', key: null })
    })

    test('the config tells its own server and the first of its keys', () => {
      expect(find({}, { files: own })).toEqual({ url: 'http://127.0.0.1:8111', key: 'first-key' })
      const files = { 'baton.yaml': 'api_keys: [first, {key: second, role: operator}]\n' }
      expect(find({}, { files }).key).toBe('second')
    })

    test.each([
      ['0.0.0.0', 'http://127.0.0.1:8000'],
      ['"::"', 'http://127.0.0.1:8000'],
      ['"::1"', 'http://[::1]:8000'],
      ['10.1.2.3', 'http://10.1.2.3:8000'],
    ])('a server on %s is reached at %s', (host, url) => {
      const files = { 'baton.yaml': `server: {host: ${host}}\napi_keys: [k]\n` }
      expect(find({}, { files }).url).toBe(url)
    })

    test('the environment wins over the config, the options over both', () => {
      const env = { BATON_URL: 'http://env:1', BATON_API_KEY: 'env-key' }
      expect(find({}, { files: own, env })).toEqual({ url: 'http://env:1', key: 'env-key' })
      const options = { url: 'http://option:2', apiKey: 'option-key' }
      expect(find(options, { files: own, env })).toEqual({ url: 'http://option:2', key: 'option-key' })
    })

    test('the .env beside the config counts as environment', () => {
      const files = { ...own, '.env': 'BATON_URL=http://dotenv:3\nBATON_API_KEY=dotenv-key\n' }
      expect(find({}, { files })).toEqual({ url: 'http://dotenv:3', key: 'dotenv-key' })
    })

    test("the config's key goes to the config's server alone", () => {
      expect(find({ url: 'http://elsewhere.example' }, { files: own }).key).toBeNull()
      expect(find({ url: 'http://127.0.0.1:8111/' }, { files: own }).key).toBe('first-key')
    })

    test.each([
      ['https://baton.example/v1', 'https://baton.example'],
      ['https://baton.example/llm/v1/', 'https://baton.example/llm'],
      ['https://baton.example/llm', 'https://baton.example/llm'],
    ])('%s is taken as %s', (url, taken) => {
      expect(find({ url }).url).toBe(taken)
    })
  })

  test('a secret that only the server needs may be missing', () => {
    const files = { 'baton.yaml': 'webhooks: {secret: "$' + '{NOT_SET}"}\n' }
    expect(find({}, { files }).url).toBe('http://127.0.0.1:8000')
  })

  test('a config that cannot be read is told of, but only when it is needed', () => {
    const files = { 'baton.yaml': 'server: {port: here}\n' }
    expect(() => find({}, { files })).toThrow(ConfigError)
    expect(find({ url: 'http://x', apiKey: 'k' }, { files })).toEqual({ url: 'http://x', key: 'k' })
  })

  test.each(['ftp://x', 'x:80', 'http://user:word@x'])('%s is refused', url => {
    expect(() => find({ url })).toThrow(/the API's address must/)
  })
})
