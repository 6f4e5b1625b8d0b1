/** What is known of a queue, and of one tenant in it. */
export interface QueueState {
  /** Slots that its workers could fill now. */
  readonly free: number
  readonly waiting: number
  /** How many of the tenant's wait where lines of batches do. */
  readonly ofTenant: number
  /** Doorbells served in a second, of late. */
  readonly perSecond: number
}

/** What waits where nothing is known of the speed, so that no worker is idle between two looks. */
const leastLead = 100

/**
 * How many more lines of a tenant's batches a queue can take: what fills its free slots, and enough to go on for a second.
 * While others fill it, a part of that waits of each tenant, or there would be nothing to give him his share of.
 * Below 0 where more waits than should.
 */
export const roomIn = ({ free, waiting, ofTenant, perSecond }: QueueState): number => {
  const lead = Math.max(leastLead, perSecond)
  return Math.floor(Math.max(free + lead - waiting, Math.max(leastLead, lead / 4) - ofTenant))
}

/** Lines for a queue without room that go along with one behind them whose queue has some. */
const spill = 1_000

/**
 * How many of the next lines, each for its queue (null: for none), may be fed: up to the last one whose queue has room.
 * Lines go in order, so one for a full queue may stand before one for an empty one; it goes along, within bounds.
 */
export const linesWithRoom = (
  queues: readonly (string | null)[],
  left: ReadonlyMap<string, number>,
): number => {
  const room = new Map(left)
  let count = 0
  for (const [i, queue] of queues.entries()) {
    const here = queue === null ? 1 : room.get(queue)!
    if (here <= -spill) break
    if (queue !== null) room.set(queue, here - 1)
    if (here > 0) count = i + 1
  }
  return count
}
