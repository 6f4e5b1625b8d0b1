import { readFile, rename, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { probeRedis } from './probe.ts'
import { isProcessAlive, isRedisServer } from './process-check.ts'

const schema = z.object({
  url: z.string().regex(/^redis:\/\/127\.0\.0\.1:\d+$/),
  /** redis-server's process id; null after an orderly stop. */
  pid: z.int().positive().nullable(),
  /** The process that started it, with which it ends. */
  ownerPid: z.int().positive(),
})

/** What `server.json` in a private server's folder says about the server that was started there last. */
export type ServerRecord = z.output<typeof schema>

/** Null when there is none, or none that can be read. */
export async function readServerRecord(path: string): Promise<ServerRecord | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null
  }
}

/** Callers hold the start lock. */
export async function writeServerRecord(path: string, record: ServerRecord): Promise<void> {
  // Renamed into place, so that a writer killed halfway leaves the old record.
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 })
  await rename(`${path}.new`, path)
}

export const portOf = (record: ServerRecord): number => Number(new URL(record.url).port)

/** Whether the recorded server is there to stay: one whose owner is gone is about to stop, although it may still answer. */
export async function isServing({ url, pid, ownerPid }: ServerRecord): Promise<boolean> {
  if (pid === null || !isProcessAlive(ownerPid)) return false
  const answer = await probeRedis(url)
  return answer.state === 'ready' && answer.pid === pid
}

/** How long a server may take to save and end after its owner. */
const patienceMs = 15_000

/** Resolves when the recorded server has ended. Two servers on one folder would write into each other's files. */
export async function waitUntilGone(record: ServerRecord): Promise<void> {
  if (record.pid === null) return
  const startedMs = performance.now()
  while (await isRedisServer(record.pid, portOf(record))) {
    if (performance.now() - startedMs > patienceMs) {
      throw new Error(
        `the redis-server with process id ${record.pid} does not answer and does not end: kill it`,
      )
    }
    await delay(20)
  }
}
