import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ask, post } from './provider-fixture.ts'

const entry = fileURLToPath(new URL('../../src/sim/main.ts', import.meta.url))

function run(...args: string[]) {
  const child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

describe('the process of the simulated provider', () => {
  test('the process says where it serves, in its format, and ends on SIGTERM with a call hanging', async () => {
    const child = run('--port', '0', '--format', 'openai', '--latency', '20', '--answer-bytes', '100')
    const [line] = await once(createInterface(child.stdout), 'line')
    const { url } = JSON.parse(line)
    const startedMs = performance.now()
    const { status, text } = await post(`${url}/v1/chat/completions`, ask('gpt-4'))
    expect(status).toBe(200)
    expect(performance.now() - startedMs).toBeGreaterThan(18)
    expect(JSON.parse(text).choices[0].message.content).toHaveLength(100)
    expect((await post(`${url}/v1/messages`, ask('claude'))).status).toBe(404)

    const ended = once(child, 'exit')
    const hanging = expect(post(`${url}/v1/chat/completions`, ask('hang'))).rejects.toThrow('fetch failed')
    child.kill('SIGTERM')
    await hanging
    expect(await ended).toEqual([0, null])
  })

  test('a format that does not exist ends the process with a word about it', async () => {
    const child = run('--format', 'morse')
    const [[message], [code]] = await Promise.all([once(child.stderr, 'data'), once(child, 'exit')])
    expect(String(message)).toBe('--format is openai or anthropic\n')
    expect(code).toBe(2)
  })
})
