// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { describe, expect, test } from 'vitest'
import { mask } from '../../src/cli/commands/keys.ts'
import { runIn } from './run-in-folder.ts'

const text = `
providers:
  openai: {type: openai, api_keys: ["\${FIRST}", "\${SECOND}", "\${THIRD}"]}
  anthropic: {type: anthropic, api_key: sk-ant-written-in-full-0123456789}
  fallback: {type: openai-compatible, base_url: "http://127.0.0.1:1", api_key: "\${UNSET:-short}"}
  local: {type: openai-compatible, base_url: "http://127.0.0.1:1"}
  idle: {type: openai, api_key: "\${IDLE}"}
models:
  a: {provider: openai, fallback_to: [b, c, d]}
  b: {provider: anthropic}
  c: {provider: fallback}
  d: {provider: local}
`
const files = { 'baton.yaml': text, '.env': 'SECOND=gsk_dotenv_0123456xyz' }
const env = { FIRST: 'sk-environment-3f9' }

describe('baton list-keys', () => {
  describe('keys', () => {
    test('shows where each key in use comes from, masked', async () => {
      const { out } = await runIn(files, 'keys', env)
      expect(out.split('\n').map(line => line.split(/ {2,}/))).toEqual([
        ['PROVIDER', 'TYPE', 'FROM', 'STATE', 'KEY'],
        ['openai', 'openai', '${FIRST} from environment', 'present', 'sk-…3f9'],
        ['openai', 'openai', '${SECOND} from .env', 'present', 'gsk_…xyz'],
        ['openai', 'openai', '${THIRD}', 'missing'],
        ['anthropic', 'anthropic', 'written in the file', 'present', 'sk-…789'],
        ['fallback', 'openai-compatible', '${UNSET}, its default in the file', 'present', '…'],
        ['local', 'openai-compatible', 'none configured', 'none'],
      ])
    })

    test.each([
      ['is missing', { FIRST: 'sk-environment-3f9' }, 1],
      ['of a provider that no route leads to is missing', { FIRST: 'sk-one', THIRD: 'sk-three' }, 0],
      ['is there', { FIRST: 'sk-one', THIRD: 'sk-three', IDLE: 'sk-idle' }, 0],
    ])('exits with what a script can tell by whether a key %s', async (_, keys, exitCode) => {
      for (const flags of ['', ' --json'])
        expect((await runIn(files, `keys${flags}`, keys)).exitCode).toBe(exitCode)
    })

    test('--json tells the same', async () => {
      const { out } = await runIn(files, 'keys --json', env)
      const keys = JSON.parse(out)
      expect(keys).toHaveLength(6)
      expect(keys[1]).toEqual({
        provider: 'openai',
        type: 'openai',
        variables: ['SECOND'],
        source: '.env',
        state: 'present',
        masked: 'gsk_…xyz',
      })
      expect(keys[2]).toMatchObject({ variables: ['THIRD'], source: null, state: 'missing', masked: null })
    })

    test('shows what lets the others be called, by setting', async () => {
      const account =
        '{"type": "service_account", "client_email": "baton@p.iam.gserviceaccount.com", "private_key": "BEGIN PRIVATE"}'
      const vendors = `
providers:
  aws:
    type: bedrock
    region: us-east-1
    access_key_id: "\${AWS_ACCESS_KEY_ID}"
    secret_access_key: "\${AWS_SECRET_ACCESS_KEY}"
  gcp: {type: vertex, project: p, location: global, credentials: "\${VERTEX}"}
  gcp-file: {type: vertex, project: p, location: global, credentials_file: /nowhere/vertex.json}
  google: {type: google, api_key: "\${GOOGLE_API_KEY}"}
models:
  a: {provider: aws, fallback_to: [b, c, d]}
  b: {provider: gcp}
  c: {provider: gcp-file}
  d: {provider: google}
`
      const vendorEnv = {
        AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE0123',
        AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMIexample',
        VERTEX: account,
      }
      const { out } = await runIn({ 'baton.yaml': vendors }, 'keys', vendorEnv)
      expect(out.split('\n').map(line => line.split(/ {2,}/))).toEqual([
        ['PROVIDER', 'TYPE', 'FROM', 'STATE', 'KEY'],
        ['aws', 'bedrock', 'access_key_id: ${AWS_ACCESS_KEY_ID} from environment', 'present', '…123'],
        ['aws', 'bedrock', 'secret_access_key: ${AWS_SECRET_ACCESS_KEY} from environment', 'present', '…ple'],
        [
          'gcp',
          'vertex',
          'credentials: ${VERTEX} from environment',
          'present',
          'baton@p.iam.gserviceaccount.com',
        ],
        ['gcp-file', 'vertex', 'credentials: the file /nowhere/vertex.json', 'missing'],
        ['google', 'google', '${GOOGLE_API_KEY}', 'missing'],
      ])
      expect(out).not.toMatch(/PRIVATE|wJal|AKIA/)
    })

    test.each(['keys', 'keys --json'])('%s never shows a key', async commandLine => {
      const { out, err } = await runIn(files, commandLine, env)
      for (const part of ['environment-', 'dotenv_', 'ant-written', 'short'])
        expect(out + err).not.toContain(part)
    })

    test('says so when no provider is in use', async () => {
      const { exitCode, out } = await runIn({}, 'keys')
      expect({ exitCode, out }).toEqual({
        exitCode: 0,
        out: 'No route leads to a provider: no keys are in use.',
      })
    })

    test('refuses a config that is faulty beyond its keys', async () => {
      const { exitCode, out, err } = await runIn({ 'baton.yaml': `${text}oops: 1` }, 'keys')
      expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' })
      expect(err).toContain('oops: unknown key')
      expect(err).not.toContain('no key')
    })
  })

  test.each([
    ['sk-abcdefgh3f9', 'sk-…3f9'],
    ['abcdefghi3f9', '…3f9'],
    ['sk-abcdef3f', '…'],
    ['', '…'],
  ])('%s is masked as %s', (key, masked) => {
    expect(mask(key)).toBe(masked)
  })
})
