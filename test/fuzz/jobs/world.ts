import fc from 'fast-check'
import { leaseEntry } from '../../../src/jobs/doorbell.ts'
import type { Claim } from '../../../src/jobs/types.ts'
import type { AddressedDoorbell } from '../../../src/queue/doorbells.ts'
import type { ReconcilerDeps } from '../../../src/queue/reconciler.ts'
import type { SweepDeps } from '../../../src/queue/sweeper.ts'
import { shardOf } from '../../../src/redis/keys.ts'
import { agree } from './agree.ts'
import { createCheckedStore } from './checked-store.ts'
import { createModel, type Model } from './model.ts'
import type { HeldChunk, Records, Rig } from './rig.ts'

/** A worker with a chunk in its hands, some of whose doorbells it has not answered yet. */
export interface Ringer {
  readonly chunk: HeldChunk
  left: readonly string[]
}

/** A worker with a job in its hands. One that lost it does not know. */
export interface Runner {
  readonly claim: Claim
  spent: number
}

/** A worker with a webhook in its hands. */
export interface Courier {
  readonly jobId: string
  readonly attempt: number
  leasedUntilMs: number
}

/** A sweeper or reconciler that stands still between what it read and what it does about it. */
export interface Sleeper {
  readonly what: string
  wake(): Promise<void>
}

/** A chunk whose holder is dead. */
export interface Orphan {
  readonly chunk: HeldChunk
}

/** Everything that happens in one run: the model, the real thing, and who is at work. Who is forgotten, has died. */
export interface World {
  readonly model: Model
  readonly rig: Rig
  /** The real store, held against the model. */
  readonly store: Records
  /** What sweepers and reconcilers are made of. */
  readonly parts: SweepDeps & Pick<ReconcilerDeps, 'recoverDelivery'>
  readonly ringers: Ringer[]
  readonly runners: Runner[]
  /** Runners that stand still: for long enough they lose their jobs, and come back all the same. */
  readonly frozen: Runner[]
  readonly couriers: Courier[]
  readonly orphans: Orphan[]
  readonly sleepers: Sleeper[]
  /** Rings on their way that nobody has heard yet. */
  readonly late: AddressedDoorbell[]
  tokens: number
}

export const openWorld = async (rig: Rig): Promise<World> => {
  await rig.reset()
  const model = createModel(() => rig.clock.nowMs)
  const now = (): number => rig.clock.nowMs
  const leaseOf = async (jobId: string): Promise<number> =>
    Number((await rig.redis.zscore(rig.keys.schedule(shardOf(jobId)), leaseEntry(jobId))) ?? 0)
  const store = createCheckedStore(rig.store, model, now, leaseOf)
  const { schedule, doorbells, log } = rig
  return {
    model,
    rig,
    store,
    parts: {
      ...{ schedule, store, doorbells, log, now: () => rig.clock.nowMs },
      readDelivery: async () => null,
      recoverDelivery: store.recoverDelivery,
    },
    ringers: [],
    runners: [],
    frozen: [],
    couriers: [],
    orphans: [],
    sleepers: [],
    late: [],
    tokens: 0,
  }
}

type Step = fc.AsyncCommand<World, World>

/**
 * Something that happens, to the one that `pick` names among those `among` whom it can happen to; nothing does where
 * there is nobody. Afterwards Redis and the model must agree.
 */
export const step = <Who>(
  name: string,
  pick: number,
  among: (world: World) => readonly Who[],
  act: (world: World, who: Who) => Promise<void>,
): Step => ({
  check: world => among(world).length > 0,
  run: async (_, world) => {
    const all = among(world)
    await act(world, all[pick % all.length]!)
    await agree(world.rig, world.model)
  },
  toString: () => `${name} #${pick}`,
})

/** Something that can always happen. */
export const event = (name: string, act: (world: World) => Promise<void>): Step =>
  step(name, 0, world => [world], act)

export const pick = fc.nat(11)

export const forget = <Who>(all: Who[], one: Who): void => {
  const at = all.indexOf(one)
  if (at >= 0) all.splice(at, 1)
}
