import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { BlobStore } from '../../../src/files/blobs/blob-store.ts'
import { openBlobs, type S3Place } from '../../../src/start-blobs.ts'
import { filesUnder, type S3Server, startS3Server } from '../../support/s3-server.ts'

/** Where blobs can be kept: the suite of the contract runs on each. */
export interface Place {
  readonly blobs: BlobStore
  /** Everything that the place keeps, whether it can be read or not. */
  kept(): Promise<string[]>
  /** A store over a place that takes no writes, and what its check says. */
  readonly unwritable: { readonly blobs: BlobStore; readonly message: RegExp }
  close(): Promise<void>
}

export const s3SettingsOf = (server: S3Server, more: Partial<S3Place> = {}): S3Place => ({
  bucket: server.bucket,
  region: 'us-east-1',
  endpoint: server.url,
  prefix: 'baton/test',
  access_key_id: 'an-id',
  secret_access_key: 'a-secret',
  force_path_style: true,
  ...more,
})

export const openDisk = async (): Promise<Place & { readonly dir: string }> => {
  const parent = await mkdtemp(join(tmpdir(), 'baton-blobs-'))
  // Not there yet, and deeper than one step: the first write makes it.
  const dir = join(parent, 'not', 'there')
  await writeFile(join(parent, 'a-file'), '')
  const blobs = await openBlobs({ path: dir }, Date.now)
  return {
    dir,
    blobs,
    kept: async () =>
      (await filesUnder(parent)).map(path => relative(dir, path)).filter(path => !path.endsWith('a-file')),
    // Root may write anywhere, but not beneath a file.
    unwritable: {
      blobs: await openBlobs({ path: join(parent, 'a-file', 'blobs') }, Date.now),
      message: /^the directory \/.*\/a-file\/blobs cannot be written to \(ENOTDIR\)$/,
    },
    close: async () => {
      await blobs.close()
      await rm(parent, { recursive: true, force: true })
    },
  }
}

export const openS3 = async (): Promise<Place & { readonly server: S3Server }> => {
  const server = await startS3Server()
  const settings = s3SettingsOf(server)
  const blobs = await openBlobs({ path: '', s3: settings }, Date.now)
  const elsewhere = await openBlobs({ path: '', s3: { ...settings, bucket: 'elsewhere' } }, Date.now)
  return {
    server,
    blobs,
    kept: async () => (await server.kept()).map(path => path.replace(/^baton\/test\//, '')),
    unwritable: {
      blobs: elsewhere,
      message: /^the S3 bucket elsewhere at 127\.0\.0\.1:\d+ cannot be written to \(NoSuchBucket\)$/,
    },
    close: async () => {
      await Promise.all([blobs.close(), elsewhere.close()])
      await server.stop()
    },
  }
}

export const places = [
  { name: 'a directory', open: openDisk },
  { name: 'S3', open: openS3 },
] as const
