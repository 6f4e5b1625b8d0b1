import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RedisNode, startNode } from '../../harness/redis/node.ts'
import { until } from '../../harness/until.ts'
import { uploadScripts } from '../../src/files/scripts.ts'
import { jobScripts } from '../../src/jobs/scripts.ts'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { createKeys, newUploadId, shardOf } from '../../src/redis/keys.ts'
import { createReplicatedRunner, NotReplicatedError } from '../../src/redis/replicated.ts'
import { createScriptRunner, type RunScript } from '../../src/redis/scripts.ts'

let dir: string
let master: RedisNode
let replica: RedisNode
let redis: Redis
let writer: Redis

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-replicated-'))
  master = await startNode({
    dir: join(dir, 'a'),
    port: await findFreePort(),
    config: ['repl-diskless-sync-delay 0'],
  })
  replica = await startNode({
    dir: join(dir, 'b'),
    port: await findFreePort(),
    config: [`replicaof 127.0.0.1 ${master.port}`],
  })
})
afterAll(async () => {
  await Promise.all([master.kill(), replica.kill()])
  await rm(dir, { recursive: true })
})
beforeEach(async () => {
  redis = new Redis(master.port)
  writer = new Redis(master.port)
  await until(async () => /state=online/.test(await redis.info('replication')))
})
afterEach(() => {
  for (const connection of [redis, writer]) connection.disconnect()
})

const keys = createKeys('r')
const id = newUploadId(3, Date.now())
const making = [keys.upload(id), keys.purge(shardOf(id)), id, 1, 'bytes', 5] as const

const runner = (writing: RunScript = createScriptRunner(writer), timeoutMs = 200): RunScript =>
  createReplicatedRunner(
    createScriptRunner(redis),
    { redis: writer, run: writing },
    { replicas: 1, timeoutMs },
  )

describe('replicated writes', () => {
  it('what makes something resolves when a replica has it', async () => {
    // A replica that has just come online may still be busy with what it was sent first.
    await runner(createScriptRunner(writer), 10_000)(uploadScripts.create, making)
    const copy = new Redis(replica.port, { readOnly: true })
    expect(await copy.hget(keys.upload(id), 'bytes')).toBe('5')
    copy.disconnect()
  })

  it('rejects when no replica says so in time, also for one that found what was made before; others do not wait', async () => {
    await replica.kill('SIGSTOP')
    try {
      const run = runner()
      const refused = run(uploadScripts.create, making)
      let isOver = false
      refused.catch(() => (isOver = true))
      expect(await run(uploadScripts.cancel, [keys.upload(id), keys.purge(3), id, 1])).toBeTypeOf('string')
      expect(isOver).toBe(false)
      await expect(refused).rejects.toThrow(NotReplicatedError)
      expect(await redis.hget(keys.upload(id), 'bytes')).toBe('5')
      const create = () =>
        run.packed(jobScripts.create, keys.schedule(3), [
          '1',
          ['job_x', '', '', '', '0', '0', 'state', 'queued'],
        ])
      await expect(create()).rejects.toThrow(NotReplicatedError)
      await expect(create()).rejects.toThrow(NotReplicatedError)
    } finally {
      await replica.kill('SIGCONT')
    }
  })

  it('rejects when the connection is another one after the write: the server may be too', async () => {
    const real = createScriptRunner(writer)
    const interrupted: RunScript = Object.assign(
      async (...call: Parameters<RunScript>) => {
        const reply = await real(...call)
        writer.disconnect(true)
        await new Promise(ready => writer.once('ready', ready))
        return reply
      },
      { packed: real.packed },
    )
    await expect(runner(interrupted)(uploadScripts.create, making)).rejects.toThrow(NotReplicatedError)
  })

  it('rejects when the confirmation itself fails', async () => {
    const real = createScriptRunner(writer)
    const doomed: RunScript = Object.assign(
      async (...call: Parameters<RunScript>) => {
        const reply = await real(...call)
        await redis.acl('SETUSER', 'default', '-set')
        return reply
      },
      { packed: real.packed },
    )
    try {
      await expect(runner(doomed)(uploadScripts.create, making)).rejects.toThrow(NotReplicatedError)
    } finally {
      await redis.acl('SETUSER', 'default', '+set')
    }
  })
})
