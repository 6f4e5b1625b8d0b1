import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('s3-process.ts', import.meta.url))

/** A process that speaks S3, with one bucket. */
export interface S3Server {
  readonly port: number
  readonly url: string
  readonly bucket: string
  /** What it keeps on disk: the keys of objects, and what was sent of unfinished ones. */
  kept(): Promise<string[]>
  stop(): Promise<void>
}

export const startS3Server = async (): Promise<S3Server> => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-s3-'))
  const bucket = 'blobs'
  const child: ChildProcess = fork(entry, [dir, bucket], { env: { PATH: process.env.PATH }, silent: true })
  const exited = once(child, 'close')
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', chunk => (output += chunk))
  const ended = exited.then(() => Promise.reject(new Error(`the S3 server ended:\n${output}`)))
  // Only of interest while it starts.
  ended.catch(() => undefined)
  const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [{ port: number }]

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    bucket,
    kept: async () => {
      const objects = join(dir, 'buckets', bucket, 'objects')
      return (await filesUnder(dir))
        .map(path => relative(path.startsWith(objects) ? objects : dir, path))
        .filter(path => !path.endsWith('.meta.json') && !path.endsWith('.bucket.json'))
        .map(path => path.replace(/\.data$/, ''))
    },
    stop: async () => {
      child.kill('SIGKILL')
      await exited
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export const filesUnder = async (dir: string): Promise<string[]> =>
  (await readdir(dir, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
