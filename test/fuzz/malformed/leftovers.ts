import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ulidOf } from '../../../src/redis/keys.ts'
import type { Json } from '../../api/test-api.ts'
import { filesUnder } from '../../support/s3-server.ts'
import type { FuzzedServer } from './server.ts'

export interface ProcessState {
  readonly residentMb: number
  /** Sockets, files and pipes. */
  readonly descriptors: number
}

/** As the kernel has it. */
export const stateOf = async ({ process }: FuzzedServer): Promise<ProcessState> => {
  const status = await readFile(`/proc/${process.pid}/status`, 'utf8')
  return {
    residentMb: Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1_024,
    descriptors: (await readdir(`/proc/${process.pid}/fd`)).length,
  }
}

/** The ids that the API shows on all pages of a list, as the part that names keys and blobs. */
const listed = async (server: FuzzedServer, path: string, cursor: string): Promise<string[]> => {
  const cores: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    const page: Json = (await server.call('GET', `${path}?limit=100${next && `&${cursor}=${next}`}`)).json
    cores.push(...page.data.map(({ id }: { id: string }) => ulidOf(id)))
    next = page.has_more ? (page.next_cursor ?? page.last_id) : null
  }
  return cores
}

const coresIn = (text: string): string[] =>
  text.match(/(?<![0-9a-z])[0-9a-hjkmnp-tv-z]{26}(?![0-9a-z])/g) ?? []

/** What belongs to batches, to uploads, and to files that are deleted and will be purged; none of it is in a list. */
const hidden = async ({ redis }: FuzzedServer, keys: readonly string[]): Promise<string[]> => {
  const texts = await Promise.all(
    keys.map(async key => {
      const [, kind] = /\}:(\w+)(?::|$)/.exec(key) ?? []
      if (kind === 'u') return key
      if (kind === 'b') return Object.values(await redis.hgetall(key)).join()
      if (kind === 'f') return (await redis.hget(key, 'deleted')) ? key : ''
      return kind === 'purge' ? (await redis.zrangebyscore(key, 0, Date.now())).join() : ''
    }),
  )
  return texts.flatMap(coresIn)
}

/**
 * Keys and blobs that belong to nothing: names of what never came to be. Empty once all requests that broke off are
 * cleared away.
 */
export const leftoversOf = async (server: FuzzedServer): Promise<string[]> => {
  const { redis, prefix, dir } = server
  const keys = await redis.keys(`${prefix}:*`)
  const known = new Set(
    (
      await Promise.all([
        listed(server, '/v1/jobs', 'cursor'),
        listed(server, '/v1/files', 'after'),
        listed(server, '/v1/batches', 'after'),
        listed(server, '/v1/messages/batches', 'after_id'),
        hidden(server, keys),
      ])
    ).flat(),
  )
  // A folder that goes while it is read: there is something left to be cleared away.
  const blobs = await filesUnder(join(dir, '.baton/blobs')).catch(() => null)
  if (blobs === null) return ['a blob that is being removed']
  return [...keys, ...blobs].filter(name => {
    const cores = coresIn(name)
    return cores.length > 0 && !cores.some(context => known.has(context))
  })
}
