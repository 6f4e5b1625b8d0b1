// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { describe, expect, test } from 'vitest'
import { runIn } from './run-in-folder.ts'

const good = `
providers:
  openai:    {type: openai,    api_key: "\${OPENAI_API_KEY}",    models: {gpt-4: {}}}
  anthropic: {type: anthropic, api_key: "\${ANTHROPIC_API_KEY}", models: {claude-3-sonnet: {}}}
models:
  gpt-4: {provider: openai, fallback_to: claude-3-sonnet}
  claude-3-sonnet: {provider: anthropic}
`
const env = { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'sk-2' }

describe('validate-config', () => {
  test('shows chains and warnings of a valid file, and ends with 0', async () => {
    const { exitCode, out, err, folder } = await runIn({ 'baton.yaml': good }, 'validate-config', env)
    expect(out).toBe(
      [
        `${folder}/baton.yaml`,
        '  warning: line 7, models.claude-3-sonnet: only anthropic can answer: no failover',
        'gpt-4: openai/gpt-4 -> anthropic/claude-3-sonnet',
        'claude-3-sonnet: anthropic/claude-3-sonnet',
        'valid: 0 faults, 1 warning',
      ].join('\n'),
    )
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
  })

  test('tells every fault with its line and suggestion, and ends with 1', async () => {
    const bad = `${good.replace('openai, fall', 'opnai, fall')}serverr: {}\n`
    const { exitCode, out, folder } = await runIn({ 'bad.yaml': bad }, 'validate-config bad.yaml', {
      OPENAI_API_KEY: 'sk-1',
    })
    expect(exitCode).toBe(1)
    expect(out).toBe(
      [
        `${folder}/bad.yaml`,
        '  fault: line 4, providers.anthropic.api_key: no key: ANTHROPIC_API_KEY is set neither in the environment nor in .env',
        '  fault: line 6, models.gpt-4.provider: there is no provider "opnai"; did you mean "openai"?',
        '  fault: line 8, serverr: unknown key; did you mean "server"?',
        'not valid: 3 faults, 0 warnings',
      ].join('\n'),
    )
  })

  test('shows the chains of a file that lacks only its keys', async () => {
    const { exitCode, out } = await runIn({ 'baton.yaml': good }, 'validate-config')
    expect(exitCode).toBe(1)
    expect(out).toContain('\ngpt-4: openai/gpt-4 -> anthropic/claude-3-sonnet\n')
    const shared = good.replace('openai, fall', 'openai, strategy: weighted, fall')
    const { out: told } = await runIn({ 'baton.yaml': shared }, 'validate-config')
    expect(told).toContain('\ngpt-4, weighted: openai/gpt-4, anthropic/claude-3-sonnet\n')
  })

  test('tells the loop', async () => {
    const text = `${good.replace('{provider: anthropic}', '{provider: anthropic, fallback_to: gpt-4}')}`
    const { exitCode, out } = await runIn({ 'baton.yaml': text }, 'validate-config', env)
    expect(exitCode).toBe(1)
    expect(out).toContain('loops: gpt-4 -> claude-3-sonnet -> gpt-4')
  })

  test.each([
    ['a file that is not there', 'validate-config gone.yaml', 'fault: there is no such file'],
    ['a file that is not YAML', 'validate-config broken.yaml', 'fault: line 1:'],
    ['a file named by --config', 'validate-config --config broken.yaml', 'fault: line 1:'],
  ])('%s is a fault like any other', async (_, commandLine, message) => {
    const { exitCode, out } = await runIn({ 'broken.yaml': 'a: [' }, commandLine)
    expect(exitCode).toBe(1)
    expect(out).toContain(message)
    expect(out).not.toContain('    at ')
  })

  test('without any file the defaults are valid', async () => {
    const { exitCode, out } = await runIn({}, 'validate-config')
    expect(exitCode).toBe(0)
    expect(out).toContain('no config file: the defaults')
    expect(out).toContain('the simulated providers will serve')
  })

  test('--json tells the same', async () => {
    const { exitCode, out, folder } = await runIn({ 'baton.yaml': good }, 'validate-config --json', {
      OPENAI_API_KEY: 'sk-1',
    })
    expect(exitCode).toBe(1)
    expect(JSON.parse(out)).toEqual({
      file: `${folder}/baton.yaml`,
      valid: false,
      faults: [
        expect.objectContaining({ code: 'missing_key', path: 'providers.anthropic.api_key', line: 4 }),
      ],
      warnings: [expect.objectContaining({ code: 'one_provider_chain', path: 'models.claude-3-sonnet' })],
      chains: {
        'gpt-4': [
          { route: 'gpt-4', provider: 'openai', model: 'gpt-4' },
          { route: 'claude-3-sonnet', provider: 'anthropic', model: 'claude-3-sonnet' },
        ],
        'claude-3-sonnet': [{ route: 'claude-3-sonnet', provider: 'anthropic', model: 'claude-3-sonnet' }],
      },
    })
  })
})
