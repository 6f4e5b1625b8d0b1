import { randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import type { Config } from '../../config/schema.ts'
import type { BlobStore } from '../../files/blobs/blob-store.ts'
import { openBlobs, sourceOfKeys } from '../../start-blobs.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, bad } = findingsOf('storage')

/** Writes a blob where files are kept, reads it back, and removes it. */
export const examineStorage = async ({ storage }: Pick<Config, 'storage'>): Promise<Finding> => {
  const place = storage.s3 === undefined ? storage.path : `s3://${storage.s3.bucket}`
  const remedy = 'Set `storage` to a place that this user may write to.'
  try {
    const blobs = await openBlobs(storage, Date.now)
    try {
      const tookMs = await roundTrip(blobs)
      return tookMs === null
        ? bad(place, 'gives back other bytes than were written', 'Do not use it: files would be damaged.')
        : ok(place, `written, read and removed in ${tookMs} ms${await keysOf(storage)}`)
    } finally {
      await blobs.close()
    }
  } catch (error) {
    return bad(place, (error as Error).message, remedy)
  }
}

/** Of a bucket: where its keys come from. */
const keysOf = async ({ s3 }: Config['storage']): Promise<string> =>
  s3 === undefined || s3.access_key_id !== undefined ? '' : `, by ${await sourceOfKeys(s3, Date.now)}`

/** Milliseconds; null where what comes back differs. */
const roundTrip = async (blobs: BlobStore): Promise<number | null> => {
  const name = randomUUID()
  const group = `doctor-${name.slice(0, 8)}`
  const key = `${group}/${name}`
  const startedAt = performance.now()
  await blobs.check()
  try {
    await blobs.write(
      key,
      (async function* () {
        yield Buffer.from(name)
      })(),
    )
    const read = await buffer(blobs.read(key))
    return read.toString() === name ? Math.round(performance.now() - startedAt) : null
  } finally {
    await blobs.removeGroup(group)
  }
}
