// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { describe, expect, test } from 'vitest'
import { runIn } from './run-in-folder.ts'

const before = `
api_keys: [{key: "old-key", role: operator}, {key: "\${STAYS}", role: submit}]
providers:
  a: {type: openai, api_key: "\${OPENAI_API_KEY}", models: {m: {}}, limits: {rpm: 10}}
  b: {type: openai, api_key: sk-b, models: {n: {}}}
models:
  m: {provider: a}
  n: {provider: b}
`
const after = `
api_keys: [{key: "new-key", role: operator}, {key: "\${STAYS}", role: submit}]
server: {max_waiting: 9}
jobs: {retention: 2h}
providers:
  a: {type: openai, api_key: "\${OPENAI_API_KEY}", models: {m: {}}, limits: {rpm: 20}}
  c: {type: openai, api_key: sk-c, models: {n: {}}}
models:
  m: {provider: a, fallback_to: n}
  n: {provider: c}
`
const env = { OPENAI_API_KEY: 'sk-1', STAYS: 'stays' }
const diff = (files: Record<string, string>, words = 'diff-config new.yaml') => runIn(files, words, env)

describe('diff-config', () => {
  test('names what a file would add, change and remove, no value among it, and ends with 1', async () => {
    const { exitCode, out, err } = await diff({ 'baton.yaml': before, 'new.yaml': after })
    const lines = out.replace(/key [0-9a-f]{8}/g, 'key HASH').split('\n')
    expect(lines).toEqual([
      ...['+ provider c', '~ provider a', '- provider b', '~ limit a.rpm', '~ route m', '~ route n'],
      ...['+ key HASH', '- key HASH', '~ settings jobs', '! server.max_waiting: holds only after a restart'],
    ])
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: '' })
    expect(out).not.toMatch(/new-key|old-key|sk-|stays|20/)
  })

  test('ends with 0 where nothing would change, whatever the order of the settings', async () => {
    const { exitCode, out } = await diff({
      'baton.yaml': before,
      'new.yaml': before.replace('provider: b', 'provider: "b"'),
    })
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'a reload would change nothing' })
  })

  test('ends with 2 for a file with faults, and tells them all', async () => {
    const broken = before.replace('provider: b', 'provider: nobody').replace('rpm: 10', 'rpm: ten')
    const { exitCode, err } = await diff({ 'baton.yaml': before, 'new.yaml': broken })
    expect(exitCode).toBe(2)
    expect(err).toMatch(/providers\.a\.limits\.rpm[\s\S]*models\.n\.provider/)
  })

  test('ends with 2 where no API answers', async () => {
    const { exitCode, err } = await diff({ 'baton.yaml': before }, 'diff-config --url http://127.0.0.1:9')
    expect(exitCode).toBe(2)
    expect(err).toContain('no answer from the API')
  })
})
