// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { configFolder, refusalOf, withProvider } from './config-folder.ts'

const withPort = (port: number) => `server: {port: ${port}}\n`

describe('the loading of a config', () => {
  describe('which file is read', () => {
    const files = {
      'baton.yaml': withProvider(withPort(1)),
      'other.yaml': withProvider(withPort(2)),
      'third.json': '{"server":{"port":3},"providers":{"any":{"type":"simulated"}}}',
    }

    test.each([
      ['an explicit file wins', { file: 'third.json', env: { BATON_CONFIG: 'other.yaml' } }, 3],
      ['else BATON_CONFIG', { env: { BATON_CONFIG: 'other.yaml' } }, 2],
      ['else ./baton.yaml', { env: {} }, 1],
      ['an empty BATON_CONFIG is none', { env: { BATON_CONFIG: '' } }, 1],
    ])('%s', (_, sources, port) => {
      expect(loadConfig({ cwd: configFolder(files), ...sources }).server.port).toBe(port)
    })

    test('without any file the defaults stand', () => {
      const config = loadConfig({ cwd: configFolder({}), env: {} })
      expect(config).toMatchObject({ providers: {}, models: {}, api_keys: [], redis: {} })
      expect(config.server).toMatchObject({ host: '127.0.0.1', port: 8000 })
      expect(config.jobs).toMatchObject({ completion_window: 86_400_000, sync_timeout: 570_000 })
    })

    test.each([
      ['an empty file', ''],
      ['blanks', ' \n\n'],
      ['only comments', '# nothing yet\n'],
      ['a document marker alone', '---\n'],
      ['null', 'null\n'],
      ['an empty table', '{}'],
      ['sections with nothing but comments beneath', 'providers:\n  # openai:\nmodels:\n'],
      ['an empty table of providers', 'providers: {}\nmodels: {}\n'],
      ['only other sections', withPort(1)],
      ['a provider without its section', '# providers:\n#   openai: {type: openai}\napi_keys: [k]\n'],
    ])('%s is a config without providers, which is a fault wherever it stands', (_, text) => {
      const cwd = configFolder({ 'baton.yaml': text, 'other.yaml': text })
      for (const sources of [
        { env: {} },
        { file: 'other.yaml', env: {} },
        { env: { BATON_CONFIG: 'other.yaml' } },
      ]) {
        expect(refusalOf({ cwd, ...sources }).faults).toEqual([
          expect.objectContaining({
            code: 'nothing_configured',
            path: 'providers',
            message: expect.stringContaining('no providers are configured'),
          }),
        ])
      }
    })

    test('what is no table of providers has its own fault, and not that one as well', () => {
      for (const text of ['providers: []\n', 'providers: openai\n', '[]\n', 'text\n']) {
        const { faults } = refusalOf({ cwd: configFolder({ 'baton.yaml': text }), env: {} })
        expect(faults.map(({ code }) => code)).toEqual(['invalid'])
      }
    })

    test('a file that is not there, or a folder, is a fault and not a crash', () => {
      const cwd = configFolder({})
      mkdirSync(join(cwd, 'folder.yaml'))
      const messageOf = (file: string) =>
        refusalOf({ file, cwd, env: {} }).faults.map(({ message }) => message)
      expect(messageOf('nowhere.yaml')).toEqual(['there is no such file'])
      expect(messageOf('folder.yaml')).toEqual(['this is a directory, not a file'])
      symlinkSync('loop.yaml', join(cwd, 'loop.yaml'))
      expect(messageOf('loop.yaml')).toEqual(['cannot be read (ELOOP)'])
    })
  })

  describe('variables', () => {
    const load = (text: string, env: Record<string, string> = {}, dotenv = '') =>
      loadConfig({ cwd: configFolder({ 'baton.yaml': withProvider(text), '.env': dotenv }), env })
    const urlFrom = (value: string, env?: Record<string, string>, dotenv?: string) =>
      load(`server: {public_url: "${value}"}`, env, dotenv).server.public_url

    test.each([
      ['come from the environment', 'http://${SITE}', { SITE: 'env' }, 'SITE=dotenv', 'http://env'],
      ['then from .env', 'http://${SITE}', {}, 'SITE=dotenv', 'http://dotenv'],
      ['then from the default', 'http://${SITE:-fall.back:80/x}', {}, '', 'http://fall.back:80/x'],
      ['count as unset when empty', 'http://${SITE:-fallback}', { SITE: '' }, 'SITE=', 'http://fallback'],
      ['may be several', 'http://${SITE}:${SITE_PORT}', { SITE: 'a', SITE_PORT: '1' }, '', 'http://a:1'],
      ['are not looked for in their values', 'http://x/${SITE}', { SITE: '${HOME}' }, '', 'http://x/${HOME}'],
      ['leave a setting out by an empty default', '${SITE:-}', {}, '', undefined],
    ])('%s', (_, value, env, dotenv, expected) => {
      expect(urlFrom(value, env, dotenv)).toBe(expected)
    })

    test('give numbers where numbers are expected, and text elsewhere', () => {
      const config = load(
        'providers: {p: {type: openai, api_key: "${KEY}", concurrency: "${N}", limits: {rpm: "${N}"}}}',
        { KEY: '123456789012', N: '7' },
      )
      expect(config.providers.p).toMatchObject({
        api_key: '123456789012',
        concurrency: 7,
        limits: { rpm: 7 },
      })
    })

    test('stand beside the file that is read, not in the working directory', () => {
      const beside = configFolder({
        'x.yaml': withProvider('api_keys: ["${CLIENT}"]'),
        '.env': 'CLIENT=beside',
      })
      const cwd = configFolder({ '.env': 'CLIENT=elsewhere' })
      expect(loadConfig({ file: join(beside, 'x.yaml'), cwd, env: {} }).api_keys).toEqual([
        { key: 'beside', tenant: 'default', role: 'submit' },
      ])
    })
  })

  describe('overrides', () => {
    const env = { REDIS_URL: 'rediss://env:1', HOST: '::1', PORT: '9' }

    test.each([
      ['over the file', 'redis: {url: "redis://file:2"}\nserver: {host: localhost, port: 3}\n', env, ''],
      ['where the file says nothing', '', env, ''],
      ['from .env', 'server:\n', {}, 'REDIS_URL=rediss://env:1\nHOST=::1\nPORT=9\n'],
    ])('REDIS_URL, HOST and PORT win %s', (_, text, variables, dotenv) => {
      const config = loadConfig({
        cwd: configFolder({ 'baton.yaml': withProvider(text), '.env': dotenv }),
        env: variables,
      })
      expect(config.redis.url).toBe('rediss://env:1')
      expect(config.server).toMatchObject({ host: '::1', port: 9 })
    })

    test('a faulty one is named by its variable and has no line', () => {
      const cwd = configFolder({ 'baton.yaml': withProvider(withPort(1)) })
      expect(refusalOf({ cwd, env: { PORT: 'http', HOST: '0.0.0.0' } }).faults).toEqual([
        { code: 'invalid', path: 'server.port', message: 'expected a number, found text (from PORT)' },
        {
          code: 'relation',
          path: 'server.host',
          message: 'is reachable from other machines: that needs api_keys (from HOST)',
        },
      ])
    })
  })

  describe('missing provider keys', () => {
    const text = `
providers:
  used: {type: openai, api_key: "\${USED}"}
  idle: {type: openai, api_keys: ["\${IDLE}"]}
models: {m: {provider: used}}
`
    const cwd = () => configFolder({ 'baton.yaml': withProvider(text) })

    test('are a fault of their own kind where a route needs them', () => {
      expect(refusalOf({ cwd: cwd(), env: {} }).faults).toEqual([
        {
          code: 'missing_key',
          path: 'providers.used.api_key',
          message: 'no key: USED is set neither in the environment nor in .env',
          line: 3,
        },
      ])
    })

    test('do not stop a start where no route needs them', () => {
      const { providers } = loadConfig({ cwd: cwd(), env: { USED: 'k' } })
      expect(providers.used?.api_key).toBe('k')
      expect(providers.idle?.api_keys).toBeUndefined()
    })
  })

  test('the config is frozen through and through', () => {
    const text =
      'providers: {p: {type: simulated, headers: {a: b}, models: {m: {price: {input: 1, output: 2}}}}}'
    const config = loadConfig({ cwd: configFolder({ 'baton.yaml': withProvider(text) }), env: {} })
    const thawed: unknown[] = []
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      if (!Object.isFrozen(value)) thawed.push(value)
      Object.values(value).forEach(visit)
    }
    visit(config)
    expect(thawed).toEqual([])
  })
})
