// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { renderFault } from '../../src/config/fault.ts'
import { readConfigFile } from '../../src/config/file.ts'
import { type Inspection, inspectConfig, loadConfig } from '../../src/config/load.ts'
import { renamedKeys } from '../../src/config/renamed-keys.ts'
import { rowsOf, uncode } from '../docs/markdown.ts'
import { configFolder, faultsOf } from './config-folder.ts'

type Tree = { [key: string]: unknown }

/** A value of each key, that is not its default: as the old key has it, as the new one has it, and as it is read. */
const values: Readonly<Record<string, readonly [unknown, unknown, unknown]>> = {
  'models.*.cache.truncated': [true, true, true],
  'webhooks.allow': [['10.0.0.0/8'], ['10.0.0.0/8'], ['10.0.0.0/8']],
  'webhooks.breaker.failures': [7, 7, 7],
  'jobs.sync_window': ['90s', '90s', 90_000],
  'jobs.unmanned_after': ['90s', '90s', 90_000],
  'providers.*.recovery.check': ['90s', '90s', 90_000],
  'providers.*.recovery.max_reset': ['90s', '90s', 90_000],
}
const ofMs = [1_234, '1234ms', 1_234] as const

const cases = Object.entries(renamedKeys).map(([old, now]) => {
  const [before, after, read] = values[old] ?? ofMs
  const paths = { old: old.replace('*', 'a'), now: now.replace('*', 'a') }
  return { ...paths, before, after, read }
})

const at = (tree: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((node, key) => (node as Tree | undefined)?.[key], tree)

const documentWith = (...settings: readonly (readonly [path: string, value: unknown])[]): Tree => {
  const document: Tree = {
    providers: { a: { type: 'simulated' } },
    models: { a: { provider: 'a' }, 'b.c': { provider: 'a' } },
  }
  for (const [path, value] of settings) {
    const keys = path.split('.')
    const name = keys.pop()!
    let node = document
    for (const key of keys) {
      node[key] ??= {}
      node = node[key] as Tree
    }
    node[name] = value
  }
  return document
}

const inspect = (document: unknown, env: Record<string, string> = {}): Inspection =>
  inspectConfig(readConfigFile({ cwd: configFolder({ 'baton.yaml': JSON.stringify(document) }), env }))

const renamedIn = ({ warnings }: Inspection) => warnings.filter(({ code }) => code === 'renamed_key')

describe('renamed config keys', () => {
  describe.each(cases)('$old, which is $now now', ({ old, now, before, after, read }) => {
    test('works by its old name, and one warning names the new one', () => {
      const inspection = inspect(documentWith([old, before]))
      expect(inspection.faults).toEqual([])
      expect(at(inspection.config, now)).toEqual(read)
      const [warning, ...others] = renamedIn(inspection)
      expect(others).toEqual([])
      expect(warning).toMatchObject({ path: old, line: 1 })
      const shown = old.endsWith('_ms') ? ' (1234ms)' : ''
      expect(warning!.message).toBe(`is named ${now}${shown} now; the old name works until 1.0`)
    })

    test('works by its new name, without a word', () => {
      const inspection = inspect(documentWith([now, after]))
      expect(inspection.faults).toEqual([])
      expect(at(inspection.config, now)).toEqual(read)
      expect(renamedIn(inspection)).toEqual([])
    })

    test('is a fault by both names', () => {
      const { faults } = inspect(documentWith([old, before], [now, after]))
      expect(faults.map(renderFault)).toEqual([
        `line 1, ${old}: is the old name of ${now}, which is set as well: keep the new one`,
      ])
    })

    test('takes its value from a variable by its old name, too', () => {
      if (typeof before === 'object') return
      const document = documentWith([old, '${VALUE:-}'])
      const inspection = inspect(document, { VALUE: String(before) })
      expect([inspection.faults, at(inspection.config, now)]).toEqual([[], read])
      const unset = inspect(document)
      expect([unset.faults, renamedIn(unset)]).toEqual([[], []])
    })
  })

  test('an old key with a wrong value is a fault of the new one, on the line of the old one', () => {
    const providers = 'providers:\n  p:\n    type: simulated\n'
    expect(faultsOf(`${providers}    timeout_ms: soon`)).toEqual([
      {
        code: 'invalid',
        path: 'providers.p.timeout',
        message: 'expected a duration such as 500ms, 30s, 5m, 24h or 7d',
        line: 4,
      },
    ])
    expect(faultsOf('jobs: {lock_ms: 5}')).toMatchObject([
      { path: 'jobs.lease', message: 'expected at least 1s' },
    ])
    expect(faultsOf('jobs: {lock_ms: "${NO_SUCH}"}')).toMatchObject([
      { code: 'missing_variable', path: 'jobs.lock_ms' },
    ])
  })

  test('each provider has its own warning, and a table that several share serves all of them', () => {
    const text = `providers:
  a: &a {type: simulated, recovery: {max_reset: 90s}}
  b: *a
models: {m: {provider: a, fallback_to: n}, n: {provider: b}}
`
    const inspection = inspectConfig(readConfigFile({ cwd: configFolder({ 'baton.yaml': text }), env: {} }))
    expect(inspection.faults).toEqual([])
    const { a, b } = inspection.config!.providers
    expect([a!.breaker.max_reset, b!.breaker.max_reset]).toEqual([90_000, 90_000])
    const paths = ['providers.a.recovery.max_reset', 'providers.b.recovery.max_reset']
    expect(renamedIn(inspection).map(({ path }) => path)).toEqual(paths)
  })

  test('variables of the environment win over a file with old keys', () => {
    const text = JSON.stringify(documentWith(['server.shutdown_grace_ms', 0], ['server.port', 1]))
    const cwd = configFolder({ 'baton.yaml': text, '.env': 'PORT=2\nREDIS_URL=redis://r:1\n' })
    const { server, redis } = loadConfig({ cwd, env: { HOST: 'localhost' } })
    expect(server).toMatchObject({ host: 'localhost', port: 2, shutdown_grace: 0 })
    expect(redis.url).toBe('redis://r:1')
  })

  test('a process that starts hears of each old key once', () => {
    const text = JSON.stringify(documentWith(['jobs.lock_ms', 2_000], ['webhooks.allow', []]))
    const heard: string[] = []
    loadConfig({ cwd: configFolder({ 'baton.yaml': text }), env: {} }, ({ path }) => heard.push(path))
    expect(heard.toSorted()).toEqual(['jobs.lock_ms', 'webhooks.allow'])
  })

  test('CHANGELOG.md has every renamed key', () => {
    const rows = rowsOf(readFileSync('CHANGELOG.md', 'utf8')).map(row => row.map(uncode).join(' '))
    const missing = Object.entries(renamedKeys)
      .map(pair => pair.join(' ').replaceAll('*', '<name>'))
      .filter(pair => !rows.includes(pair))
    expect(missing).toEqual([])
  })
})
