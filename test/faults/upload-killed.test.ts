import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createDiskBlobs } from '../../src/files/blobs/disk-blobs.ts'
import { createFileStore } from '../../src/files/store.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { field, file, formHeaders, formOf } from '../api/forms.ts'
import { openRig, type Rig } from './rig.ts'

let rig: Rig
let redis: Redis
beforeEach(async () => {
  rig = await openRig()
  redis = new Redis(rig.redis.url)
})
afterEach(async () => {
  redis.disconnect()
  await rig.close()
})

const bytes = 3_000_000
const form = formOf([field('purpose', 'batch'), file(randomBytes(bytes))])

/** The API of now: after a kill it listens elsewhere. */
const url = async (): Promise<string> => (await rig.api.logged('api listening')).url as string

/** Sends part of an upload and leaves it at that. */
const sendPart = async (length: number): Promise<Socket> => {
  const socket = connect(Number(new URL(await url()).port), '127.0.0.1')
  socket.on('error', () => undefined)
  const head = `content-type: ${formHeaders['content-type']}\r\ncontent-length: ${form.length}\r\n`
  socket.write(`POST /v1/files HTTP/1.1\r\nhost: localhost\r\n${head}\r\n`)
  await new Promise<unknown>(sent => socket.write(form.subarray(0, length), sent))
  return socket
}

const blobDir = (): string => join(rig.site.dir, '.baton', 'blobs')
const onDisk = async (): Promise<string[]> =>
  (await readdir(blobDir(), { recursive: true })).filter(name => name !== '.tmp')
const listed = async (): Promise<{ id: string; bytes: number }[]> => {
  const answer = await fetch(`${await url()}/v1/files`)
  return ((await answer.json()) as { data: { id: string; bytes: number }[] }).data
}
const keysLeft = async (): Promise<string[]> =>
  (await redis.keys(`${rig.redis.prefix}:*`)).filter(key => /\}:(?:fs?|purge)(?::|$)|\{files\}/.test(key))

describe('an upload whose API is killed', () => {
  it('shows no file of which an API that was killed had not said that it is kept, and leaves nothing of it for ever', async () => {
    // Early, in the middle, when all but the answer is done, and at a moment that chance names.
    const lengths = [5_000, form.length / 2, form.length, form.length]
    const answered: string[] = []
    for (const [i, length] of lengths.entries()) {
      const socket = await sendPart(Math.floor(length))
      socket.setEncoding('utf8')
      let answer = ''
      socket.on('data', text => {
        answer += text
      })
      if (length < form.length) {
        await until(async () => (await onDisk()).filter(name => name.startsWith('.tmp/')).length > i)
      } else if (i === 2) {
        await until(async () => (await onDisk()).some(name => name.endsWith('/content')) || answer !== '')
      }
      await rig.api.kill()
      socket.destroy()
      const id = /"id":"(file-\w+)"/.exec(answer)?.[1]
      if (id) answered.push(id)
      await rig.startApi()
    }
    const files = await listed()
    // Whole ones, among them those that their clients were told of.
    expect(files.every(found => found.bytes === bytes)).toBe(true)
    expect(files.map(found => found.id)).toEqual(expect.arrayContaining(answered))
    expect(files.length).toBeLessThanOrEqual(2)
    expect((await keysLeft()).some(key => key.endsWith(':purge'))).toBe(true)

    const keys = createKeys(rig.redis.prefix)
    const blobs = createDiskBlobs(blobDir())
    // Three hours on: past every reservation, and long before the files expire.
    const store = createFileStore({
      redis,
      run: createScriptRunner(redis),
      keys,
      blobs,
      now: () => Date.now() + 3 * 3_600_000,
    })
    expect(await store.purgeDue(100)).toBeGreaterThanOrEqual(2)
    expect(await listed()).toEqual(files)
    const groups = files.map(found => found.id.slice('file-'.length))
    expect((await onDisk()).toSorted()).toEqual(
      groups.flatMap(group => [group, `${group}/content`]).toSorted(),
    )
    for (const { id } of files) await fetch(`${await url()}/v1/files/${id}`, { method: 'DELETE' })
    expect([await onDisk(), await keysLeft()]).toEqual([[], []])
  })
})
