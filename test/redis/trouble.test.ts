import { ReplyError } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { isRedisTrouble } from '../../src/redis/trouble.ts'

const reply = (message: string): Error => new ReplyError(message)

describe('trouble of Redis', () => {
  it.each([
    reply('NOREPLICAS Not enough good replicas to write.'),
    reply(
      'ERR Error running script (call to f_1): @user_script:3: -NOREPLICAS Not enough good replicas to write.',
    ),
    reply("READONLY You can't write against a read only replica. script: 1, on @user_script:1."),
    reply("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
    reply('CLUSTERDOWN The cluster is down'),
    reply('CLUSTERDOWN Hash slot not served'),
    reply('TRYAGAIN Multiple keys request during rehashing of slot'),
    reply('MOVED 866 127.0.0.1:7001'),
    reply('LOADING Redis is loading the dataset in memory'),
    new Error('Too many Cluster redirections. Last error: ReplyError: CLUSTERDOWN The cluster is down'),
    new Error("Cluster isn't ready and enableOfflineQueue options is false"),
    new Error('None of startup nodes is available'),
    new Error('Failed to refresh slots cache.'),
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
    new Error('Command timed out'),
    new Error('Connection is closed.'),
    new Error('All sentinels are unreachable. Retrying from scratch after 10ms.'),
  ])('%s is trouble of Redis that passes', error => {
    expect(isRedisTrouble(error)).toBe(true)
  })

  it.each([
    reply('ERR value is not an integer or out of range'),
    reply('WRONGTYPE Operation against a key holding the wrong kind of value'),
    reply("CROSSSLOT Keys in request don't hash to the same slot"),
    new TypeError('undefined is not a function'),
    'CLUSTERDOWN',
  ])('%s is none', error => {
    expect(isRedisTrouble(error)).toBe(false)
  })
})
