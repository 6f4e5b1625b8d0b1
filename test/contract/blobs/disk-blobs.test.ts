import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readlink, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BlobNotFoundError, BlobStoreError } from '../../../src/files/blobs/blob-store.ts'
import { openDisk } from './places.ts'
import { chunksOf, hangingAfter, patterned, readAll } from './sources.ts'

const endlessWrite = fileURLToPath(new URL('endless-write.ts', import.meta.url))

const open = async () => {
  const place = await openDisk()
  onTestFinished(() => place.close())
  return place
}

/** A process is killed in the middle of writing `g/a`; answers what it leaves. */
const killedWriting = async () => {
  const place = await open()
  const child = fork(endlessWrite, [place.dir, 'g/a'], { env: { PATH: process.env.PATH } })
  const exited = once(child, 'exit')
  await Promise.race([once(child, 'message'), exited])
  child.kill('SIGKILL')
  expect(await exited).toEqual([null, 'SIGKILL'])
  const [temporary, ...others] = await place.kept()
  expect(others).toEqual([])
  expect(temporary).toMatch(/^\.tmp\/g\.a\.[0-9a-f]{16}$/)
  return { ...place, temporary: join(place.dir, temporary!) }
}

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)

describe('blobs on disk', () => {
  it('keeps what a killed process wrote out of sight, and clears it away once it is old', async () => {
    const { blobs, temporary, kept } = await killedWriting()
    await expect(readAll(blobs, 'g/a')).rejects.toThrow(BlobNotFoundError)

    await utimes(temporary, hoursAgo(5), hoursAgo(5))
    await blobs.check()
    expect(await kept()).toHaveLength(1)

    await utimes(temporary, hoursAgo(7), hoursAgo(7))
    await blobs.check()
    expect(await kept()).toEqual([])
  })

  it('removes what a killed process wrote along with its group', async () => {
    const { blobs, kept } = await killedWriting()
    await blobs.removeGroup('other')
    expect(await kept()).toHaveLength(1)
    await blobs.removeGroup('g')
    expect(await kept()).toEqual([])
  })

  it('fails a write whose group is removed meanwhile, so that no blob outlives its group', async () => {
    const { blobs, kept } = await open()
    const { source, reached, finish } = hangingAfter(patterned(1_000))
    const written = blobs.write('g/a', source)
    const failed = expect(written).rejects.toThrow(BlobStoreError)
    await reached
    await blobs.removeGroup('g')
    finish()
    await failed
    expect(await kept()).toEqual([])
  })

  it('keeps blobs from the eyes of other users', async () => {
    const { blobs, dir } = await open()
    await blobs.write('g/a', chunksOf(patterned(10)))
    const modes = await Promise.all(
      ['', 'g', 'g/a', '.tmp'].map(async path => (await stat(join(dir, path))).mode & 0o777),
    )
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o700])
  })

  it.runIf(process.platform === 'linux')(
    'closes the file of a read that ends early, or at its end',
    async () => {
      const { blobs, dir } = await open()
      const openFiles = async () => {
        const links = await readdir('/proc/self/fd')
        const paths = await Promise.all(links.map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
        return paths.filter(path => path.startsWith(dir))
      }
      await blobs.write('g/a', chunksOf(patterned(1_000_000)))
      for await (const _ of blobs.read('g/a')) {
        expect(await openFiles()).toEqual([join(dir, 'g/a')])
        break
      }
      expect(await openFiles()).toEqual([])
      await readAll(blobs, 'g/a')
      expect(await openFiles()).toEqual([])
    },
  )
})
