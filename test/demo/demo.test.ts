import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../../harness/until.ts'

const entry = join(import.meta.dirname, '../../demo/main.ts')

/** The demo in a folder of its own, its Redis's folder included. */
const playDemo = async (...args: string[]) => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-demo-test-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: dir,
    env: { PATH: process.env.PATH, TMPDIR: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const ended = once(child, 'close')
  return { child, ended, dir, output: () => output }
}

/** The rows of a section of the summary, by label, and its total. */
const sectionOf = (summary: string, title: string): { rows: Map<string, number>; total: number } => {
  const [, body = ''] = new RegExp(`^${title}\n((?:  .*\n)+)`, 'm').exec(summary) ?? []
  const rows = [...body.matchAll(/^ {2}(.*?) {2,}(\d+)$/gm)].map(([, label, count]): [string, number] => [
    label!,
    Number(count),
  ])
  const total = rows.pop()![1]
  return { rows: new Map(rows), total }
}

const countOf = (summary: string, label: string): number =>
  Number(new RegExp(`^ *${label} +(\\d+)$`, 'm').exec(summary)?.[1])

const sections = [
  'Lines of the batch, answered by',
  'Single jobs, answered by',
  'Handovers, by verdict',
  'Calls without a good answer, by verdict',
]

describe('npm run demo', () => {
  test('the demo plays through, passes, and its sums are right', async () => {
    const { ended, dir, output } = await playDemo('--lines', '100')
    expect(await ended, output()).toEqual([0, null])
    const text = output()
    expect(text).toContain('Simulated   two LLM providers')
    expect(text).toMatch(/primary broken down/)
    expect(text).toMatch(/primary back/)
    const story = [/^\* primary limits its rate/m, /^\* primary breaks down/m, /^\* primary works again/m]
    const told = story.map(line => text.search(line))
    expect(told[0]).toBeGreaterThanOrEqual(0)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
    expect(text).not.toContain('{"level"')

    const [answered, single, handovers, failed] = sections.map(title => sectionOf(text, title))
    expect(answered).toMatchObject({ total: 100, rows: { size: 2 } })
    expect(single!.total).toBe(10)
    expect(handovers!.total).toBeGreaterThan(0)
    expect(failed!.total).toBeGreaterThan(0)
    for (const { rows, total } of [answered!, single!, handovers!, failed!]) {
      expect([...rows.values()].reduce((sum, count) => sum + count, 0)).toBe(total)
    }
    expect(countOf(text, 'verified')).toBe(countOf(text, 'Webhooks received'))
    // One for each single job, and the batch's.
    expect(countOf(text, 'verified') - countOf(text, 'repeated')).toBe(11)
    expect(text).toContain('PASSED: each of the 100 lines has exactly one output line')
    const answers = await readFile(join(dir, '.baton/demo_output.jsonl'), 'utf8')
    expect(answers.match(/\n/g)).toHaveLength(100)
    // Its Redis is gone, with all its data.
    expect(await readdir(dir)).toEqual(['.baton'])
  }, 60_000)

  test('Ctrl-C ends the demo soon and leaves nothing behind', async () => {
    const { child, ended, dir, output } = await playDemo()
    await until(() => output().includes('primary throttling'))
    child.kill('SIGINT')
    expect(await ended, output()).toEqual([130, null])
    expect(output()).toContain('Stopping')
    expect(await readdir(dir)).toEqual(['.baton'])
  }, 60_000)

  test('a number of lines that makes no sense is refused with a sentence', async () => {
    const { ended, output } = await playDemo('--lines', 'many')
    expect(await ended).toEqual([1, null])
    expect(output()).toContain("--lines takes a whole number from 1 to 50000, not 'many'")
  })
})
