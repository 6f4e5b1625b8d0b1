import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as yieldOnce } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { withStartLock } from '../../../src/redis/dev/start-lock.ts'

let dir: string
let path: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-lock-'))
  path = join(dir, 'start.lock')
})
afterEach(() => rm(dir, { recursive: true }))

/** Runs this many tasks under the lock; gives the most that ran at once. */
async function contend(count: number): Promise<number> {
  let running = 0
  let most = 0
  const task = async () => {
    most = Math.max(most, ++running)
    for (let turn = 0; turn < 20; turn++) await yieldOnce()
    running--
  }
  await Promise.all(Array.from({ length: count }, () => withStartLock(path, task)))
  return most
}

describe('the start lock', () => {
  it('lets one task run at a time and leaves nothing behind', async () => {
    expect(await contend(8)).toBe(1)
    expect(await readdir(dir)).toEqual([])
  })

  it('is free again after a task that failed, and hands its error on', async () => {
    await expect(withStartLock(path, () => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck')
    expect(await withStartLock(path, async () => 'in')).toBe('in')
  })

  it('is taken over at once from a process that is gone, by one contender at a time', async () => {
    const { pid } = spawnSync('/bin/sh', ['-c', 'exit'])
    await writeFile(path, `${pid} leftover`)
    const startedMs = performance.now()
    expect(await contend(8)).toBe(1)
    expect(performance.now() - startedMs).toBeLessThan(4_000)
    expect(await readdir(dir)).toEqual([])
  })

  const quick = { heartbeatMs: 20, staleAfterMs: 500 }

  it('is taken over from a live process id that does not touch it', async () => {
    await writeFile(path, `${process.pid} of an earlier process with this id`)
    const startedMs = performance.now()
    await withStartLock(path, async () => {}, quick)
    expect(performance.now() - startedMs).toBeGreaterThan(quick.staleAfterMs)
  })

  it('is kept by a holder that touches it, however long its task takes', async () => {
    let released = false
    const { contender } = await withStartLock(
      path,
      async () => {
        const { mtimeMs } = await stat(path)
        const contender = withStartLock(path, async () => released, quick)
        await vi.waitUntil(async () => (await stat(path)).mtimeMs - mtimeMs > 2 * quick.staleAfterMs, 10_000)
        released = true
        return { contender }
      },
      quick,
    )
    expect(await contender).toBe(true)
  })
})
