import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { line, lines, rows } from './batch-desk.ts'
import { type BatchRig, openBatchRig } from './batch-rig.ts'

/** What workers have is not counted by the window. */
const concurrency = 5

let rig: BatchRig
beforeAll(async () => {
  const config = { batches: { window_jobs: 7, window_bytes: 1_500 } }
  rig = await openBatchRig({ config, first: { concurrency } })
})
afterAll(() => rig.close())

describe('a tight window of a batch', () => {
  it('a batch gets through a window far smaller than itself, line by line where a line fills it', async () => {
    const long = line('long', 'plain', 'u'.repeat(3_000))
    const id = await rig.batch(lines(100, 'plain') + long + line('last', 'plain'))
    let most = 0
    let mostBytes = 0
    await rig.reached(id, ({ cursor, collected, status }) => {
      most = Math.max(most, cursor.fed - collected)
      mostBytes = Math.max(mostBytes, cursor.openBytes)
      return status === 'completed'
    })
    const batch = await rig.ended(id)
    const { output } = await rig.lines(batch)
    expect(output.map(l => l.custom_id).sort()).toEqual([...rows(100), 'last', 'long'].sort())
    expect(most).toBeLessThanOrEqual(7 + concurrency)
    expect(mostBytes).toBeLessThan(1_500 + long.length)
    expect(batch.cursor.openBytes).toBe(0)
  })
})
