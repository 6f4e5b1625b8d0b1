import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { runBaton } from '../../src/cli/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { configFolder } from '../config/config-folder.ts'
import { runHere, stillIo } from './command.ts'

const schemaLine = /^# yaml-language-server: \$schema=\S*baton\.schema\.json\n/
const keys = { OPENAI_API_KEY: 'sk-one', ANTHROPIC_API_KEY: 'sk-two' }

let openai: SimProvider
let anthropic: SimProvider
beforeAll(async () => {
  openai = createSimProvider({
    keys: ['sk-one'],
    models: ['text-embedding-3-small', 'gpt-5.4', 'gpt-5.4-mini'],
  })
  anthropic = createSimProvider({ keys: ['sk-two'], models: ['claude-sonnet-4-6'], format: 'anthropic' })
  await Promise.all([openai.start(), anthropic.start()])
})
afterAll(() => Promise.all([openai.stop(), anthropic.stop()]))

const addresses = (): string[] => [
  ...['--base-url', `openai=${openai.url}/v1`],
  ...['--base-url', `anthropic=${anthropic.url}`],
]
const both = (): string[] => ['--provider', 'openai', '--provider', 'anthropic', ...addresses()]

const initIn = (cwd: string, words: readonly string[], env: Record<string, string> = keys) =>
  runHere(['init', ...words], { cwd, env })
const read = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8')

describe('baton init', () => {
  test('writes a config that a start takes, and keys that only its owner can read', async () => {
    const folder = configFolder({})
    const { code, stdout } = await initIn(folder, [...both(), '--check'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('openai: the key is good, 3 models')])
    expect(stdout).toMatch(/openai\/gpt-5\.4-mini: answered in \d+ ms/)
    expect(stdout).toMatch(/anthropic\/claude-sonnet-4-6: answered in \d+ ms/)
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600)
    expect(read(folder, 'baton.yaml')).toMatch(schemaLine)
    // Without the keys in the environment: a later shell has none.
    const config = loadConfig({ cwd: folder, env: {} })
    expect(config.providers).toMatchObject({
      openai: { type: 'openai', api_key: 'sk-one' },
      anthropic: { type: 'anthropic', api_key: 'sk-two' },
    })
    expect(config.models).toMatchObject({
      'gpt-5.4-mini': { provider: 'openai', fallback_to: 'claude-sonnet-4-6' },
      'claude-sonnet-4-6': { provider: 'anthropic' },
    })
    expect(stdout).toContain(`authorization: Bearer ${config.api_keys[0]!.key}`)
    expect(read(folder, 'baton.yaml')).not.toMatch(/sk-one|sk-two|bk_/)
  })

  test('takes the vendors whose keys are there, where nobody is asked', async () => {
    const folder = configFolder({})
    const { code, stderr } = await initIn(folder, ['--yes', '--base-url', `openai=${openai.url}/v1`], {
      OPENAI_API_KEY: 'sk-one',
    })
    expect([code, stderr]).toEqual([0, ''])
    expect(Object.keys(loadConfig({ cwd: folder, env: {} }).providers)).toEqual(['openai'])
  })

  test('asks nobody for an answer that costs, unless it is told to', async () => {
    const before = openai.calls
    await initIn(configFolder({}), both())
    expect(openai.calls).toEqual(before)
  })

  test('keeps what a .env says, and the lines around it', async () => {
    const written = '# mine\nOPENAI_API_KEY=sk-old\nBATON_API_KEY=bk_kept'
    const folder = configFolder({ '.env': written })
    const { code, stdout } = await initIn(folder, both())
    expect([code, read(folder, '.env')]).toEqual([0, `${written}\nANTHROPIC_API_KEY=sk-two\n`])
    expect(stdout).toContain('baton.yaml, and ANTHROPIC_API_KEY into the .env beside it')
    expect(stdout).toContain('The .env beside it has another OPENAI_API_KEY, which stays')
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600)
  })

  test('says where git would take the keys along', async () => {
    const ignores = ['/.env', '*.env', '**/.env', '.env*', 'dist', '!.env']
    const told = ignores.map(async line => {
      const folder = configFolder({ '.gitignore': `node_modules\n${line}\n` })
      // The repository's root is above.
      mkdirSync(join(folder, 'in'))
      mkdirSync(join(folder, '.git'))
      const { stdout } = await initIn(folder, [...both(), '--output', 'in'])
      return stdout.includes('git would take the .env along')
    })
    expect(await Promise.all(told)).toEqual([false, false, false, false, true, true])
    const folder = configFolder({})
    mkdirSync(join(folder, 'in/.git'), { recursive: true })
    writeFileSync(join(folder, 'in/.gitignore'), '.env')
    expect((await initIn(folder, [...both(), '--output', 'in'])).stdout).not.toContain('git would')
  })

  test('writes nothing where it is left', async () => {
    for (const [typed, code] of [
      ['\u0003', 130],
      ['\u0004', 1],
    ] as const) {
      const folder = configFolder({})
      const input = Object.assign(new PassThrough(), { isTTY: true })
      const output = new PassThrough()
      const done = runBaton(['init'], { ...stillIo, cwd: folder, env: {}, input, output })
      await until(() => String(output.read() ?? '').includes('Which ones') || undefined)
      input.write(typed)
      expect([typed, await done, readdirSync(folder)]).toEqual([typed, code, []])
    }
  })

  test('replaces no config without being told to', async () => {
    const folder = configFolder({ 'baton.yaml': 'mine' })
    expect(await initIn(folder, both())).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/baton\.yaml is there already: --force replaces it/),
    })
    expect(read(folder, 'baton.yaml')).toBe('mine')
    expect(await initIn(folder, [...both(), '--force'])).toMatchObject({ code: 0 })
  })

  test('two vendors may have one model', async () => {
    const folder = configFolder({})
    const words = ['--provider', 'openai', '--provider', 'groq', '--base-url', `groq=${openai.url}/v1`]
    const env = { ...keys, GROQ_API_KEY: 'sk-one' }
    const models = ['--model', 'openai=gpt-5.4', '--model', 'groq=gpt-5.4', ...addresses().slice(0, 2)]
    expect(await initIn(folder, [...words, ...models], env)).toMatchObject({ code: 0, stderr: '' })
    expect(loadConfig({ cwd: folder, env: {} }).models).toMatchObject({
      'gpt-5.4': { fallback_to: 'groq/gpt-5.4' },
      'groq/gpt-5.4': { provider: 'groq', upstream_model: 'gpt-5.4' },
    })
  })

  test('a vendor that is away is set up unseen, by its usual model', async () => {
    const folder = configFolder({})
    const away = ['--provider', 'openai', '--base-url', 'openai=http://127.0.0.1:1/v1', '--check']
    const { code, stdout } = await initIn(folder, away)
    expect(stdout).toContain('openai: it cannot be reached now (connect)')
    expect(loadConfig({ cwd: folder, env: {} }).models['gpt-5.4-mini']).toBeDefined()
    // It was to be tried, and did not answer.
    expect(code).toBe(1)
  })

  const one = ['--provider', 'openai']
  test.each<[words: readonly string[], says: RegExp, env?: Record<string, string>]>([
    [[], /^No vendor's key is in the environment \(OPENAI_API_KEY, /, {}],
    [['--provider', 'gemini'], /^init knows no vendor "gemini". Did you mean google\?/],
    [['--provider', 'opnai'], /Did you mean openai\?/],
    [['--provider', 'simulated'], /All others are set up by hand/],
    [one, /^OPENAI_API_KEY is not set: it would have the key of openai\. .*--key-env openai=NAME/, {}],
    [
      [...one, '--key-env', 'sk-abc-def'],
      /expected the name of a variable, such as OPENAI_API_KEY, not a key/,
    ],
    [[...one, '--key-env', 'groq=X'], /there is no --provider groq with it/],
    [[...one, '--provider', 'groq', '--key-env', 'MY_KEY'], /say whose it is, as --key-env openai=MY_KEY/],
    [[...one, '--base-url', 'localhost:80'], /expected an address such as https/],
    [[...one, '--port', '99999'], /--port 99999: expected a number from 1 to 65535/],
    [[...one], /^The key of openai in OPENAI_API_KEY has a space/, { OPENAI_API_KEY: 'sk one' }],
  ])('%s: a sentence', async (words, says, env = keys) => {
    const folder = configFolder({})
    const { code, stderr } = await initIn(folder, words, env)
    // 1 where it is for the environment, 2 for the command line.
    expect([code, stderr.trim()]).toEqual([env === keys ? 2 : 1, expect.stringMatching(says)])
    expect(() => read(folder, 'baton.yaml')).toThrow()
    expect(stderr).not.toMatch(/sk-abc|sk one|\n {4}at /)
  })

  test.each([
    [
      'a key that is refused',
      { OPENAI_API_KEY: 'sk-wrong' },
      [],
      /^openai refuses the key in OPENAI_API_KEY \(401\)/,
    ],
    [
      'a model that is not listed',
      keys,
      ['--model', 'gpt-5.4-mni'],
      /does not list "gpt-5.4-mni"; did you mean "gpt-5.4-mini"\?/,
    ],
  ])('%s: a sentence', async (_, env, more, says) => {
    const words = ['--provider', 'openai', '--base-url', `openai=${openai.url}/v1`, ...more]
    const { code, stderr } = await initIn(configFolder({}), words, env as Record<string, string>)
    expect([code, stderr.trim()]).toEqual([1, expect.stringMatching(says)])
    expect(stderr).not.toContain('sk-wrong')
  })

  test('asks at a terminal, and shows no key that is typed', async () => {
    const folder = configFolder({})
    const input = Object.assign(new PassThrough(), { isTTY: true })
    let shown = ''
    const output = new Writable({
      write: (chunk, _, written) => {
        shown += chunk
        written()
      },
    })
    const lines: string[] = []
    const tell = (text: string): void => {
      lines.push(text)
    }
    const env = { OPENAI_API_KEY: 'sk-one' }
    const done = runBaton(['init', ...addresses().slice(2), '--provider', 'anthropic'], {
      ...stillIo,
      ...{ cwd: folder, env, input, output, out: tell, err: tell },
    })
    const answers: [question: RegExp, answer: string][] = [
      [/Key of anthropic .*: $/, 'sk-bad'],
      [/Key of anthropic .*: [\s\S]*Key of anthropic .*: $/, 'sk-two'],
      [/model of anthropic \[claude-sonnet-4-6\]: $/, 'claude-sonet-4-6'],
      [/model of anthropic .*: [\s\S]*model of anthropic .*: $/, ''],
      [/Ask each model for one word.* $/, 'y'],
    ]
    for (const [question, answer] of answers) {
      await until(() => question.test(stripVTControlCharacters(shown)) || undefined)
      input.write(`${answer}\n`)
    }
    expect(await done).toBe(0)
    expect(lines.join('\n')).toContain('anthropic refuses the key (401).')
    expect(lines.join('\n')).toContain('did you mean "claude-sonnet-4-6"?')
    expect(shown).not.toMatch(/sk-two|sk-bad/)
    expect(loadConfig({ cwd: folder, env: {} }).providers.anthropic!.api_key).toBe('sk-two')
  })
})
