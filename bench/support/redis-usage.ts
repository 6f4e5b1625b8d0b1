import type { Redis } from 'ioredis'

/** What Redis counted since its start. */
export interface RedisUsage {
  /** Processor time over all of its threads, in microseconds. */
  readonly cpuMicros: number
  /** EVAL and EVALSHA. */
  readonly scriptCalls: number
  /** All commands, those that scripts call among them. */
  readonly commands: number
  readonly bytesIn: number
  readonly bytesOut: number
}

const figures = ['cpuMicros', 'scriptCalls', 'commands', 'bytesIn', 'bytesOut'] as const

export const redisUsage = async (redis: Redis): Promise<RedisUsage> => {
  const info = [await redis.info('cpu'), await redis.info('stats'), await redis.info('commandstats')].join(
    '\n',
  )
  const sumOf = (pattern: RegExp): number =>
    [...info.matchAll(pattern)].reduce((sum, [, figure]) => sum + Number(figure), 0)
  return {
    cpuMicros: sumOf(/^used_cpu_(?:sys|user):([\d.]+)/gm) * 1e6,
    scriptCalls: sumOf(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm),
    commands: sumOf(/^cmdstat_[^:]+:calls=(\d+)/gm),
    bytesIn: sumOf(/^total_net_input_bytes:(\d+)/gm),
    bytesOut: sumOf(/^total_net_output_bytes:(\d+)/gm),
  }
}

/** Figure by figure. */
export const combine = (a: RedisUsage, b: RedisUsage, how: (a: number, b: number) => number): RedisUsage =>
  Object.fromEntries(figures.map(figure => [figure, how(a[figure], b[figure])])) as unknown as RedisUsage
