import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { findFreePort } from '../../src/redis/dev/port.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'
import { blocksOf, readDoc, root } from './markdown.ts'

const run = promisify(execFile)

const isOnPath = (command: string): boolean => {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${command}`])
    return true
  } catch {
    return false
  }
}

/** What the commands of the walkthrough need beside npm. A machine without them cannot follow it. */
const canFollow = ['curl', 'openssl'].every(isOnPath)

const blocks = blocksOf(readDoc('README.md'))
const block = (language: string, mark: string): string => {
  const found = blocks.filter(b => b.language === language && b.mark === mark)
  expect(found, `README: \`\`\`${language} test=${mark}`).toHaveLength(1)
  return found[0]!.text
}

/** The same keys all the way down, and the same values where they are words that do not differ from run to run. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (value === null || typeof value !== 'object') return value === null ? null : typeof value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, child]) => [key, key === 'content' || key === 'verdict' ? child : shapeOf(child)])
      .toSorted(),
  )
}

const linesOf = (text: string): string[] => text.trim().split('\n')

/** A line without what differs from run to run. */
const withoutChance = (line: string): string =>
  line
    .replace(/batch_\w{26}/, 'batch_')
    .replace(/after \d+ s/, 'after a while')
    .replace(/: \/.*\//, ': /')

test('every curl of the README is part of the walkthrough', () => {
  const unmarked = blocks.filter(({ text, mark }) => text.includes('curl') && mark === null)
  expect(unmarked).toEqual([])
})

describe.skipIf(!canFollow)('the walkthrough', () => {
  let redis: OwnRedis
  let terminal: ReturnType<typeof spawn>
  let output = ''
  let dir: string
  let replaced: (text: string) => string

  const sh = async (script: string): Promise<string> => {
    const { stdout } = await run('/bin/sh', ['-c', replaced(script)], {
      cwd: root,
      // What the README's port is to this test. A person needs no such variable.
      env: { ...process.env, BATON_URL: replaced('http://127.0.0.1:8000') },
    })
    return stdout
  }
  const json = async (script: string): Promise<unknown> => JSON.parse(await sh(script))

  beforeAll(async () => {
    redis = await ownRedis()
    const [api, receiver] = [await findFreePort(), await findFreePort()]
    dir = await mkdtemp(join(tmpdir(), 'baton-walkthrough-'))
    replaced = text =>
      text
        .replaceAll('8000', String(api))
        .replaceAll('9000', String(receiver))
        .replaceAll('answers.jsonl', join(dir, 'answers.jsonl'))
    terminal = spawn('/bin/sh', ['-c', replaced(block('sh', 'start'))], {
      cwd: root,
      // A group of its own, so that what it starts in the background ends with it.
      detached: true,
      env: { ...process.env, REDIS_URL: redis.url, HOST: '', PORT: String(api) },
    })
    for (const stream of [terminal.stdout!, terminal.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    }
    await until(
      async () => (await fetch(`http://127.0.0.1:${api}/readyz`).catch(() => null))?.ok === true,
      40_000,
    )
    await until(() => output.includes('waiting for webhooks'))
  })

  afterAll(async () => {
    const ended = once(terminal, 'close')
    process.kill(-terminal.pid!, 'SIGTERM')
    await ended
    await redis.stop()
    await rm(dir, { recursive: true })
  })

  test('goes from curl to a received webhook as it is written', async () => {
    const accepted = (await json(block('sh', 'submit'))) as { id: string; status: string }
    expect(accepted.status).toBe('queued')

    const line = block('text', 'webhook')
      .trim()
      .replace(/job_\w+/, accepted.id)
    await until(() => output.includes(line))

    const polled = (await json(block('sh', 'poll').replace('JOB_ID', accepted.id))) as { status: string }
    expect(polled.status).toBe('succeeded')
    expect(shapeOf(polled)).toEqual(shapeOf(JSON.parse(block('json', 'poll'))))

    const message = (await json(block('sh', 'door'))) as { content: { text: string }[] }
    expect(message.content[0]?.text).toBe('echo: Hello')
  })

  test('makes a batch, from the shell and by a script for OpenAI', async () => {
    const written = linesOf(block('text', 'batch'))
    const printed = linesOf(await sh(block('sh', 'batch')))
    expect(printed.map(withoutChance)).toEqual(written.map(withoutChance))
    const answers = linesOf(await readFile(join(dir, 'answers.jsonl'), 'utf8'))
    expect(answers.map(line => (JSON.parse(line) as { custom_id: string }).custom_id).toSorted()).toEqual(
      linesOf(readDoc('examples/requests.jsonl'))
        .map(line => (JSON.parse(line) as { custom_id: string }).custom_id)
        .toSorted(),
    )

    const told = await sh(block('sh', 'openai'))
    expect(told).toMatch(/^batch_\w+ completed: \{ total: 3, completed: 3, failed: 0 \}$/m)
    expect(told).toContain('greeting: echo: Hello')
  })
})
