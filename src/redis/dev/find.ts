import { join } from 'node:path'
import { recordPathIn } from './owner.ts'
import { isServing, readServerRecord } from './server-record.ts'

/** Where `npm start` keeps its private server, from the folder that it is started in. */
export const privateRedisDir = '.baton/redis'

/** The URL of the private server that runs for a process in this folder; null where none does. Starts nothing. */
export const findPrivateRedis = async (cwd: string): Promise<string | null> => {
  const record = await readServerRecord(recordPathIn(join(cwd, privateRedisDir)))
  return record !== null && (await isServing(record)) ? record.url : null
}
