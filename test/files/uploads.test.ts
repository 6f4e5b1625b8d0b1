import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { uploadWindowMs } from '../../src/files/upload-record.ts'
import { fileIdOf, maxParts, partKey } from '../../src/files/upload-store.ts'
import { newPartId, newUploadId, shardOf } from '../../src/redis/keys.ts'
import { bytesFrom, type FileFixture, openFiles } from './file-fixture.ts'

let fixture: FileFixture
let id: string
beforeEach(async () => {
  fixture = await openFiles()
  const { clock } = fixture.base
  id = newUploadId(9, clock.nowMs)
  await fixture.uploads.create({
    id,
    tenant: 'default',
    purpose: 'batch',
    filename: 'a.jsonl',
    bytes: 4,
    createdAtMs: clock.nowMs,
    expiresAtMs: clock.nowMs + uploadWindowMs,
    fileExpiresAfterMs: null,
  })
})
afterEach(() => fixture.close())

const addPart = async (text: string) => {
  const partId = newPartId(shardOf(id), fixture.base.clock.nowMs)
  await fixture.blobs.write(partKey(id, partId), bytesFrom(text))
  const part = { id: partId, bytes: text.length, fingerprint: text, replay: false }
  return { partId, added: await fixture.uploads.addPart(id, part) }
}

const complete = async (...partIds: string[]) => {
  const file = fixture.newFile({ id: fileIdOf(id), bytes: 4 })
  const segments = partIds.map(partId => ({ key: partKey(id, partId), bytes: 2 }))
  return fixture.uploads.complete(id, file, segments)
}

describe('the upload store', () => {
  describe('an upload', () => {
    it('becomes the file of its parts, in the order they are named', async () => {
      const { uploads, files } = fixture
      const [one, two] = [await addPart('ab'), await addPart('cd')]
      expect([one.added, two.added]).toEqual(['added', 'added'])
      expect(Object.fromEntries(await uploads.parts(id))).toEqual({ [one.partId]: 2, [two.partId]: 2 })
      expect(await complete(two.partId, one.partId)).toBe('done')
      expect((await uploads.read(id))?.status).toBe('completed')
      expect((await files.segments(fileIdOf(id))).map(s => s.key)).toEqual(
        [two, one].map(({ partId }) => partKey(id, partId)),
      )
      expect([await fixture.purgeAt(id), await fixture.purgeAt(fileIdOf(id))]).toEqual([null, null])
      expect(await complete(one.partId)).toBe('completed')
      expect(await uploads.cancel(id)).toBe('completed')
      expect((await addPart('ef')).added).toBe('completed')
    })

    it('takes no part after its cancel, and what it has is removed, also what comes late', async () => {
      const { uploads, files, base } = fixture
      await addPart('ab')
      expect([await uploads.cancel(id), await uploads.cancel(id)]).toEqual(['done', 'cancelled'])
      expect(await files.purgeDue(10)).toBe(1)
      expect(await fixture.groups()).toEqual([])
      // Its request began before the cancel, and its API dies before it takes it back.
      expect((await addPart('cd')).added).toBe('cancelled')
      expect(await complete()).toBe('cancelled')
      expect((await uploads.read(id))?.status).toBe('cancelled')
      base.clock.nowMs = (await fixture.purgeAt(id))!
      expect(await files.purgeDue(10)).toBe(1)
      expect([await fixture.groups(), await fixture.recordKeys()]).toEqual([[], []])
      expect(await uploads.cancel(id)).toBe('gone')
    })

    it('takes nothing after its hour, and is removed when no part can be on its way', async () => {
      const { uploads, files, base } = fixture
      await addPart('ab')
      base.clock.nowMs += uploadWindowMs
      expect((await uploads.read(id))?.status).toBe('expired')
      expect((await addPart('cd')).added).toBe('expired')
      expect([await complete(), await uploads.cancel(id)]).toEqual(['expired', 'expired'])
      expect(await files.purgeDue(10)).toBe(0)
      base.clock.nowMs = (await fixture.purgeAt(id))!
      expect(await files.purgeDue(10)).toBe(1)
      expect([await fixture.groups(), await fixture.recordKeys()]).toEqual([[], []])
      expect(await uploads.read(id)).toBeNull()
    })

    it('has its limit of parts', async () => {
      const { redis, keys } = fixture.base
      const parts = Object.fromEntries(Array.from({ length: maxParts - 1 }, (_, i) => [`part_${i}`, 1]))
      await redis.hset(keys.parts(id), parts)
      expect((await addPart('ab')).added).toBe('added')
      expect((await addPart('cd')).added).toBe('too_many')
    })
  })
})
