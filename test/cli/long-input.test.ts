import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import type { BatchView } from '../../src/batches/view.ts'
import { line } from '../batches/batch-desk.ts'
import { type BatchSite, openBatchSite } from './batch-site.ts'

/** What the site's API takes in one batch. */
const maxLines = 300

let site: BatchSite
beforeAll(async () => {
  site = await openBatchSite()
})
afterAll(() => site.close())
afterEach(() => site.meet(() => 'served'))

const file = (count: number, models: readonly string[] = ['gpt-4']): string =>
  Array.from({ length: count }, (_, i) => line(`row-${i}`, models[i % models.length]!)).join('')

const idsOf = (text: string): string[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(each => (JSON.parse(each) as { custom_id: string }).custom_id)

/** By which batch a line was answered, in the order of the output. */
const partsOf = (text: string): number[] =>
  idsOf(text).map(id => Math.floor(Number(id.slice('row-'.length)) / maxLines))

const submissionIn = (text: string): string => /sub_[0-9a-f]{28}/.exec(text)![0]

const batchesOf = async (id: string): Promise<readonly BatchView[]> => {
  const { data } = await site.ask<{ data: BatchView[] }>('/v1/batches?limit=100')
  return data.filter(({ metadata }) => metadata?.baton_submission === id)
}

describe('baton submit, of more than one batch may have', () => {
  test('makes several, follows them as one, and writes one output in the order of the file', async () => {
    await site.write('long.jsonl', `${file(650)}\n\n`)
    const args = ['submit', 'long.jsonl', '--wait', '--output', 'long', '--metadata', 'team=a=b']
    const { code, stdout, stderr } = await site.run(args)
    expect(code, stderr).toBe(0)
    const output = await site.read('long')
    expect(idsOf(output).toSorted()).toEqual(idsOf(file(650)).toSorted())
    expect(partsOf(output)).toEqual(partsOf(output).toSorted((a, b) => a - b))
    expect(stderr).toMatch(/sending long\.jsonl \(.*\) as 3 batches to http/)
    expect(stderr).toMatch(/3\/3 batches · completed · 650\/650/)
    expect(stdout.match(/^batch_\w+ completed/gm)).toHaveLength(3)
    const batches = await batchesOf(submissionIn(stderr))
    expect(batches.map(({ request_counts }) => request_counts.total).toSorted()).toEqual([300, 300, 50])
    expect(batches.map(({ metadata }) => metadata!.team)).toEqual(['a=b', 'a=b', 'a=b'])
  })

  test('goes on where it broke off: no line is submitted twice, and none is left out', async () => {
    await site.write('broken.jsonl', file(650))
    let uploads = 0
    site.meet((method, path) => {
      if (method !== 'POST' || path !== '/v1/files') return 'served'
      uploads += 1
      return uploads === 2 ? 'refused' : 'served'
    })
    const broken = await site.run(['submit', 'broken.jsonl', '--wait', '--output', 'mended'])
    expect(broken.code).toBe(1)
    const id = submissionIn(broken.stderr)
    expect(broken.stderr).toContain(
      '1 of 3 batches are created; the others: npx baton submit broken.jsonl --wait',
    )
    expect(await batchesOf(id)).toHaveLength(1)

    const early = await site.run(['batches', 'wait', id])
    expect([early.code, early.stderr]).toEqual([1, expect.stringContaining(`only 1 of 3 batches of ${id}`)])
    await site.write('other.jsonl', file(640))
    const other = await site.run(['submit', 'other.jsonl', '--resume', id])
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('other content')])

    const mended = await site.run(['submit', 'broken.jsonl', '--wait', '--output', 'mended', '--resume', id])
    expect(mended.code, mended.stderr).toBe(0)
    expect(await batchesOf(id)).toHaveLength(3)
    expect(idsOf(await site.read('mended')).toSorted()).toEqual(idsOf(file(650)).toSorted())
    // Once more: nothing is made, and the results are fetched again.
    const again = await site.run(['submit', 'broken.jsonl', '--resume', id])
    expect(again.stdout.trim().split('\n')).toHaveLength(3)
    expect(await batchesOf(id)).toHaveLength(3)
    expect((await site.run(['batches', 'wait', id, '--output', 'again'])).code).toBe(0)
    expect(await site.read('again')).toBe(await site.read('mended'))
  })

  test('tells after Ctrl-C how to follow all of them, and cancels all by one name', async () => {
    await site.write('hung.jsonl', file(3, ['hang']))
    const waiting = site.start(['submit', 'hung.jsonl', '--wait', '--split', '2'])
    await until(() => waiting.stderr.includes('0/3'))
    const id = submissionIn(waiting.stderr)
    waiting.interrupt()
    const { code, stderr } = await waiting.ended
    expect(code).toBe(130)
    expect(stderr).toContain(`follow: npx baton batches wait ${id}`)
    expect((await site.run(['batches', 'cancel', id])).code).toBe(0)
    await until(async () => (await batchesOf(id)).every(({ status }) => status === 'cancelled'))
  })

  test('a batch is no larger than a file may be', async () => {
    await site.write(
      'wide.jsonl',
      Array.from({ length: 5 }, (_, i) => line(`w-${i}`, 'gpt-4', 'x'.repeat(400_000))).join(''),
    )
    const { code, stdout, stderr } = await site.run(['submit', 'wide.jsonl', '--quiet'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.trim().split('\n')).toHaveLength(3)
  })
})

describe('baton submit -', () => {
  test('reads standard input, and writes the answers alone to standard output', async () => {
    const args = ['submit', '-', '--wait', '--output', '-']
    const { code, stdout, stderr } = await site.run(args, undefined, file(5))
    expect(code, stderr).toBe(0)
    expect(idsOf(stdout).toSorted()).toEqual(idsOf(file(5)))
    expect(stderr).toMatch(/batch_\w+ completed/)
  })

  test('refuses what is empty or wrong', async () => {
    const empty = await site.run(['submit', '-'], undefined, '')
    expect([empty.code, empty.stderr]).toEqual([1, 'standard input is empty: write one request to a line\n'])
    const wrong = await site.run(['submit', '-'], undefined, 'no json\n')
    expect([wrong.code, wrong.stdout]).toEqual([4, expect.stringContaining('line 1: ')])
  })
})
