import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BlobNotFoundError } from '../../src/files/blobs/blob-store.ts'
import { readFile } from '../../src/files/read-file.ts'
import { newFileId, ulidOf } from '../../src/redis/keys.ts'
import { bytesFrom, type FileFixture, openFiles } from './file-fixture.ts'

const hourMs = 3_600_000

let fixture: FileFixture
beforeEach(async () => {
  fixture = await openFiles()
})
afterEach(() => fixture.close())

const textOf = async (chunks: AsyncIterable<Uint8Array>): Promise<string> =>
  Buffer.concat(await Array.fromAsync(chunks)).toString()

const contentOf = async (id: string, range?: { start: number; end: number }): Promise<string> =>
  textOf(readFile(fixture.blobs, await fixture.files.segments(id), range))

describe('the file store', () => {
  describe('a file', () => {
    it('is seen with its record and its bytes once it is created', async () => {
      const { files, newFile, base } = fixture
      const id = newFileId(3, base.clock.nowMs)
      await files.reserve(id, 'default')
      expect(await files.read(id)).toBeNull()
      const file = newFile({ id, bytes: 3, filename: 'ä"\\.jsonl', expiresAtMs: base.clock.nowMs + hourMs })
      expect(await files.create(file, [{ key: `${ulidOf(id)}/0`, bytes: 3 }])).toBe(true)
      expect(await files.read(id)).toEqual(file)
      expect(await fixture.purgeAt(id)).toBe(file.expiresAtMs)
    })

    it('is written once, whoever sends the command again', async () => {
      const { files, stored } = fixture
      const file = await stored(['one', 'two'])
      expect(await files.create(file, [{ key: 'other/0', bytes: 3 }])).toBe(true)
      expect(await contentOf(file.id)).toBe('onetwo')
      expect(await fixture.purgeAt(file.id)).toBeNull()
    })

    it('is read over its segments, and in parts', async () => {
      const words = ['abc', 'de', 'f', 'ghij']
      const { id } = await fixture.stored(words)
      const whole = words.join('')
      expect(await contentOf(id)).toBe(whole)
      for (let start = 0; start < whole.length; start++) {
        for (let end = start + 1; end <= whole.length + 1; end++) {
          expect(await contentOf(id, { start, end })).toBe(whole.slice(start, end))
        }
      }
    })

    it('has as many segments as it takes', async () => {
      const { files, newFile } = fixture
      const file = newFile()
      await files.reserve(file.id, file.tenant)
      const segments = Array.from({ length: 10_000 }, (_, i) => ({
        key: `${ulidOf(file.id)}/${i}`,
        bytes: i,
      }))
      await files.create(file, segments)
      expect(await files.segments(file.id)).toEqual(segments)
    })

    it('is out of sight at its expiry and when it is removed', async () => {
      const { files, stored, base } = fixture
      const expiring = await stored(['x'], { expiresAtMs: base.clock.nowMs + hourMs })
      const removed = await stored(['y'])
      expect(await files.remove(removed.id)).toBe(true)
      expect(await files.read(removed.id)).toBeNull()
      expect(await files.remove(removed.id)).toBe(false)
      base.clock.nowMs += hourMs
      expect(await files.read(expiring.id)).toBeNull()
      expect(await files.remove(expiring.id)).toBe(false)
    })
  })

  describe('the purger', () => {
    it('leaves nothing of a removed file', async () => {
      const { files, stored } = fixture
      const { id } = await stored(['x', 'y'])
      await files.remove(id)
      expect([await fixture.groups(), await fixture.recordKeys()]).toEqual([[], []])
      expect(await fixture.purgeAt(id)).toBeNull()
      await expect(textOf(fixture.blobs.read(`${ulidOf(id)}/0`))).rejects.toThrow(BlobNotFoundError)
    })

    it('takes files that have expired, and no others', async () => {
      const { files, stored, base } = fixture
      await stored(['x'], { expiresAtMs: base.clock.nowMs + hourMs })
      const later = await stored(['y'], { expiresAtMs: base.clock.nowMs + 2 * hourMs })
      const kept = await stored(['z'])
      base.clock.nowMs += hourMs
      expect(await files.purgeDue(10)).toBe(1)
      expect((await fixture.groups()).toSorted()).toEqual([later.id, kept.id].map(ulidOf).toSorted())
      expect(await files.purgeDue(10)).toBe(0)
    })

    it('clears away what an API that died has begun, two hours later', async () => {
      const { files, blobs, base } = fixture
      const id = newFileId(3, base.clock.nowMs)
      await files.reserve(id, 'tenant')
      await blobs.write(`${ulidOf(id)}/0`, bytesFrom('half'))
      await base.redis.zadd(base.keys.files('tenant'), 0, id) // dead just before it wrote the record
      base.clock.nowMs += 2 * hourMs - 1
      expect(await files.purgeDue(10)).toBe(0)
      base.clock.nowMs += 1
      expect(await files.purgeDue(10)).toBe(1)
      expect([await fixture.groups(), await fixture.recordKeys()]).toEqual([[], []])
      expect(await base.redis.zcard(base.keys.files('tenant'))).toBe(0)
    })

    it('keeps a reserved file from being created once its bytes are taken away', async () => {
      const { files, newFile, base } = fixture
      const slow = newFile()
      await files.reserve(slow.id, slow.tenant)
      base.clock.nowMs += 2 * hourMs
      await files.purgeDue(10)
      expect(await files.create(slow, [])).toBe(false)
      expect(await files.read(slow.id)).toBeNull()
    })

    it('leaves the bytes to a batch that reads them, and comes back', async () => {
      const { files, stored, base } = fixture
      const { redis, keys, clock } = base
      const { id } = await stored(['in use'])
      await redis.hincrby(keys.file(id), 'refs', 1)
      expect(await files.remove(id)).toBe(true)
      expect(await files.read(id)).toBeNull()
      expect(await contentOf(id)).toBe('in use')
      await redis.hincrby(keys.file(id), 'refs', -1)
      expect(await files.purgeDue(10)).toBe(0)
      clock.nowMs += 10 * 60_000
      expect(await files.purgeDue(10)).toBe(1)
      expect(await fixture.groups()).toEqual([])
    })

    it('goes on with the others when one cannot be removed, and comes back to it', async () => {
      let isBroken = true
      const broken = await openFiles(disk => ({
        ...disk,
        removeGroup: async group => {
          if (isBroken) throw new Error('no disk')
          await disk.removeGroup(group)
        },
      }))
      try {
        const { files, stored, base } = broken
        const { id } = await stored(['x'])
        expect(await files.remove(id)).toBe(true)
        expect(await files.read(id)).toBeNull()
        base.clock.nowMs += 5 * 60_000
        await expect(files.purgeDue(10)).rejects.toThrow('no disk')
        isBroken = false
        base.clock.nowMs += 5 * 60_000
        expect(await files.purgeDue(10)).toBe(1)
        expect([await broken.groups(), await broken.recordKeys()]).toEqual([[], []])
      } finally {
        await broken.close()
      }
    })

    it('is harmless twice at once', async () => {
      const { files, stored, base } = fixture
      for (let i = 0; i < 20; i++) {
        await stored(['x'], { id: newFileId(i % 16, base.clock.nowMs), expiresAtMs: base.clock.nowMs + 1 })
      }
      base.clock.nowMs += 1
      const [one, two] = await Promise.all([files.purgeDue(10), files.purgeDue(10)])
      expect(one + two).toBe(20)
      expect([await fixture.groups(), await fixture.recordKeys()]).toEqual([[], []])
    })
  })

  describe('the list of files', () => {
    const query = { after: null, limit: 100, order: 'desc', purpose: null } as const
    const ids = async (more: object = {}, tenant = 'default'): Promise<string[]> => {
      const page = await fixture.files.list(tenant, { ...query, ...more })
      if (page === 'unknown_cursor') throw new Error(page)
      return page.files.map(file => file.id)
    }

    it('has those of one tenant and purpose, in the order of their creation', async () => {
      const { stored, base } = fixture
      const made: string[] = []
      for (const purpose of ['batch', 'vision', 'batch']) {
        base.clock.nowMs += 1
        made.push((await stored(['x'], { purpose })).id)
      }
      const other = await stored(['x'], { tenant: 'other' })
      expect(await ids()).toEqual(made.toReversed())
      expect(await ids({ order: 'asc' })).toEqual(made)
      expect(await ids({ order: 'asc', purpose: 'batch' })).toEqual([made[0], made[2]])
      expect(await ids({}, 'other')).toEqual([other.id])
      expect(await ids({}, 'nobody')).toEqual([])
    })

    it.each(['asc', 'desc'] as const)(
      'is gone through page by page (%s) while files come and go',
      async order => {
        const { files, stored, base } = fixture
        const made: string[] = []
        for (let i = 0; i < 9; i++) {
          base.clock.nowMs += 1
          made.push((await stored(['x'])).id)
        }
        const seen: string[] = []
        for (let after: string | null = null; ; ) {
          const page = await files.list('default', { ...query, order, limit: 2, after })
          if (page === 'unknown_cursor') throw new Error(page)
          seen.push(...page.files.map(file => file.id))
          if (!page.hasMore) break
          after = seen.at(-1)!
          // A client that empties its list takes the place away that it stands at.
          await files.remove(after)
          if (order === 'desc') {
            base.clock.nowMs += 1
            await stored(['new'])
          }
        }
        expect(seen).toEqual(order === 'asc' ? made : made.toReversed())
      },
    )

    it('says whether there is more, also when all that follows is of no interest', async () => {
      const { files, stored, base } = fixture
      for (const purpose of ['vision', 'batch', 'batch']) {
        base.clock.nowMs += 1
        await stored(['x'], { purpose })
      }
      const more = async (limit: number) =>
        ((await files.list('default', { ...query, limit, purpose: 'batch' })) as { hasMore: boolean }).hasMore
      expect([await more(1), await more(2)]).toEqual([true, false])
    })

    it.each(['', 'x', 'file-1', `job_${'0'.repeat(26)}`])('knows that %j is no place in it', async after => {
      expect(await fixture.files.list('default', { ...query, after })).toBe('unknown_cursor')
    })
  })
})
