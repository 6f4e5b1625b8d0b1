import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
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
/** Of the README, or of the page that it leads to there. */
const block = (language: string, mark: string, page = 'README.md'): string => {
  const found = blocksOf(readDoc(page)).filter(b => b.language === language && b.mark === mark)
  expect(found, `${page}: \`\`\`${language} test=${mark}`).toHaveLength(1)
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

describe('the README', () => {
  test('every curl of the README is part of the walkthrough', () => {
    const unmarked = blocks.filter(({ text, mark }) => text.includes('curl') && mark === null)
    expect(unmarked).toEqual([])
  })

  /** A terminal in which the commands of a block run until it is closed. */
  interface Terminal {
    readonly output: string
    close(): Promise<void>
  }

  const openTerminal = async (script: string, redisUrl: string, port: number): Promise<Terminal> => {
    const shell = spawn('/bin/sh', ['-c', script], {
      cwd: root,
      // A group of its own, so that what it starts in the background ends with it.
      detached: true,
      env: { ...process.env, REDIS_URL: redisUrl, HOST: '', PORT: String(port) },
    })
    let output = ''
    for (const stream of [shell.stdout!, shell.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    }
    const isReady = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.ok === true
    await until(isReady, 40_000)
    return {
      get output() {
        return output
      },
      close: async () => {
        const ended = once(shell, 'close')
        process.kill(-shell.pid!, 'SIGTERM')
        await ended
      },
    }
  }

  const sh = async (script: string, port: number): Promise<string> => {
    const { stdout } = await run('/bin/sh', ['-c', script], {
      cwd: root,
      // What the README's port is to this test. A person needs no such variable.
      env: { ...process.env, BATON_URL: `http://127.0.0.1:${port}` },
    })
    return stdout
  }

  describe.skipIf(!canFollow)("the start with keys of one's own", () => {
    /** What differs from run to run, and from machine to machine. */
    const usual = (text: string): string =>
      text
        .replaceAll(/\d+ models?/g, 'N models')
        .replace(/Wrote \/.*\//, 'Wrote /')
        .replace(/bk_[\w-]+/, 'bk_')
        .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1')
        .replace(/serve.*/, 'serve')
        .trim()

    test('sets up two vendors, and hands over from the one that refuses its key', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'baton-own-key-'))
      onTestFinished(() => rm(dir, { recursive: true }))
      const redis = await ownRedis()
      onTestFinished(() => redis.stop())
      const openai = createSimProvider({ keys: ['sk-your-key'], models: ['gpt-5.4-mini', 'gpt-5.4'] })
      const anthropic = createSimProvider({ keys: ['sk-ant-your-key'], models: ['claude-sonnet-4-6'] })
      await Promise.all([openai.start(), anthropic.start()])
      onTestFinished(async () => void (await Promise.all([openai.stop(), anthropic.stop()])))
      const port = await findFreePort()

      const places = `--output ${dir} --port ${port} --base-url openai=${openai.url}/v1 --base-url anthropic=${anthropic.url}`
      const script = block('sh', 'init').replace('baton init', `baton init ${places}`)
      const { PATH, HOME } = process.env
      const { stdout } = await run('/bin/sh', ['-c', script], { cwd: root, env: { PATH, HOME } })
      expect(usual(stdout)).toBe(usual(block('text', 'init')))

      const serve = block('sh', 'failover').replace('baton serve', `baton serve --config ${dir}/baton.yaml`)
      const terminal = await openTerminal(serve, redis.url, port)
      onTestFinished(() => terminal.close())
      const answer = JSON.parse(await sh(stdout.slice(stdout.indexOf('  curl')), port))
      expect(answer).toMatchObject({
        model: 'claude-sonnet-4-6',
        choices: [{ message: { content: 'echo: Hello' } }],
      })
      const [, page] = stdout.match(/Watch it: (\S+),/)!
      expect(await (await fetch(page!)).text()).toContain('<title>Baton')
    })
  })

  describe.skipIf(!canFollow)('the walkthrough', () => {
    let redis: OwnRedis
    let terminal: Terminal
    let dir: string
    let api: number
    let follow: (script: string) => Promise<string>
    const json = async (script: string): Promise<unknown> => JSON.parse(await follow(script))

    beforeAll(async () => {
      redis = await ownRedis()
      api = await findFreePort()
      const receiver = await findFreePort()
      dir = await mkdtemp(join(tmpdir(), 'baton-walkthrough-'))
      const replaced = (text: string): string =>
        text
          .replaceAll('8000', String(api))
          .replaceAll('9000', String(receiver))
          .replaceAll('answers.jsonl', join(dir, 'answers.jsonl'))
      follow = script => sh(replaced(script), api)
      terminal = await openTerminal(replaced(block('sh', 'start')), redis.url, api)
      await until(() => terminal.output.includes('waiting for webhooks'))
    })

    afterAll(async () => {
      await terminal.close()
      await redis.stop()
      await rm(dir, { recursive: true })
    })

    test('goes from curl to a received webhook as it is written', async () => {
      const accepted = (await json(block('sh', 'submit'))) as { id: string; status: string }
      expect(accepted.status).toBe('queued')

      const line = block('text', 'webhook')
        .trim()
        .replace(/job_\w+/, accepted.id)
      await until(() => terminal.output.includes(line))

      const polled = (await json(block('sh', 'poll').replace('JOB_ID', accepted.id))) as { status: string }
      expect(polled.status).toBe('succeeded')
      expect(shapeOf(polled)).toEqual(shapeOf(JSON.parse(block('json', 'poll', 'docs/api.md'))))
    })

    test('makes a batch, from the shell and by a script for OpenAI', async () => {
      const written = linesOf(block('text', 'batch'))
      const printed = linesOf(await follow(block('sh', 'batch')))
      expect(printed.map(withoutChance)).toEqual(written.map(withoutChance))
      const answers = linesOf(await readFile(join(dir, 'answers.jsonl'), 'utf8'))
      expect(answers.map(line => (JSON.parse(line) as { custom_id: string }).custom_id).toSorted()).toEqual(
        linesOf(readDoc('examples/requests.jsonl'))
          .map(line => (JSON.parse(line) as { custom_id: string }).custom_id)
          .toSorted(),
      )

      const summary = await follow(block('sh', 'openai', 'docs/batches.md'))
      expect(summary).toMatch(/^batch_\w+ completed: \{ total: 3, completed: 3, failed: 0 \}$/m)
      expect(summary).toContain('greeting: echo: Hello')
    })
  })
})
