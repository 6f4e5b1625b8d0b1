import type { Doorbells } from '../queue/doorbells.ts'
import { roomIn } from './room.ts'

/** A batch that has lines for a queue. */
export interface Asker {
  readonly batchId: string
  readonly tenant: string
  /** When its next line is due, in Unix ms. */
  readonly dueMs: number
}

/** The room in the queues of all providers, as the batches of this process share it. */
export interface QueueRooms {
  /** Looks at these queues, unless that was done just now. */
  look(queues: readonly string[], tenant: string): Promise<void>
  /** Lines that may join the queue now: none while a batch of the tenant wants room whose next line is due before. */
  left(queue: string, asker: Asker): number
  /** Says that the batch goes without, until it asks again. */
  want(queue: string, asker: Asker): void
  /** Counts lines as waiting until a look sees them. What it returns is called when they wait in the queue. */
  add(queue: string, tenant: string, lines: number): () => void
}

/** A queue that moves is looked at this often, at most: 5,000 places fill in a second or two. */
export const lookEveryMs = 20
/** One where nothing moves, in the end. */
const idleLookMs = 200
const growth = 1.3
/** The speed of a queue is measured over this. */
const spanMs = 250
/** A batch that wanted room and did not ask again for so long has found another way, or ended. */
const wantMs = 300
const forgottenAfterMs = 1_000

interface Added {
  readonly tenant: string
  readonly lines: number
  waits: boolean
}

export const createQueueRooms = (doorbells: Pick<Doorbells, 'look'>, now: () => number): QueueRooms => {
  const queues = new Map<string, ReturnType<typeof createQueueRoom>>()
  const at = (queue: string) => {
    const known = queues.get(queue) ?? createQueueRoom(tenants => doorbells.look(queue, tenants), now)
    queues.set(queue, known)
    return known
  }
  return {
    look: async (names, tenant) => {
      await Promise.all(names.map(name => at(name).look(tenant)))
    },
    left: (queue, asker) => at(queue).left(asker),
    want: (queue, asker) => at(queue).want(asker),
    add: (queue, tenant, lines) => at(queue).add(tenant, lines),
  }
}

const createQueueRoom = (
  read: (tenants: readonly string[]) => ReturnType<Doorbells['look']>,
  now: () => number,
) => {
  /** The tenants that have asked of late, and what waits of each. */
  const tenants = new Map<string, { waiting: number; askedAtMs: number }>()
  const wanting = new Map<string, Asker & { readonly untilMs: number }>()
  const added = new Set<Added>()
  let state = { free: 0, waiting: 0, served: 0 }
  let speed = { perSecond: 0, served: 0, free: 0, atMs: Number.NEGATIVE_INFINITY }
  let looking: Promise<void> | null = null
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let everyMs = lookEveryMs

  /** What only filled slots that were free says nothing of the speed. */
  const measure = (served: number, free: number, atMs: number): void => {
    const tookMs = atMs - speed.atMs
    if (tookMs < spanMs) return
    const ended = served - speed.served - Math.max(0, speed.free - free)
    const perSecond = Number.isFinite(tookMs) ? Math.max(0, (ended / tookMs) * 1_000) : 0
    speed = { perSecond, served, free, atMs }
  }

  const lookNow = async (): Promise<void> => {
    lookedAtMs = now()
    const seenBy = [...added].filter(({ waits }) => waits)
    for (const [tenant, { askedAtMs }] of tenants)
      if (askedAtMs < now() - forgottenAfterMs) tenants.delete(tenant)
    const known = [...tenants.values()]
    const { ofTenants, ...next } = await read([...tenants.keys()])
    for (const [i, tenant] of known.entries()) tenant.waiting = ofTenants[i]!
    for (const each of seenBy) added.delete(each)
    const moved = next.free !== state.free || next.waiting !== state.waiting || next.served !== state.served
    everyMs = moved ? lookEveryMs : Math.min(everyMs * growth, idleLookMs)
    state = next
    measure(next.served, next.free, lookedAtMs)
  }

  const addedLines = (tenant: string | null): number => {
    let sum = 0
    for (const each of added) if (tenant === null || each.tenant === tenant) sum += each.lines
    return sum
  }

  return {
    look: async (tenant: string): Promise<void> => {
      const known = tenants.get(tenant)
      if (known) known.askedAtMs = now()
      else {
        await looking
        tenants.set(tenant, { waiting: 0, askedAtMs: now() })
      }
      if (known && !looking && now() - lookedAtMs < everyMs) return
      looking ??= lookNow().finally(() => {
        looking = null
      })
      await looking
    },
    left: ({ batchId, tenant, dueMs }: Asker): number => {
      wanting.delete(batchId)
      for (const [id, other] of wanting) {
        if (other.untilMs < now()) wanting.delete(id)
        else if (other.tenant === tenant && other.dueMs < dueMs) return 0
      }
      return roomIn({
        free: state.free,
        waiting: state.waiting + addedLines(null),
        ofTenant: (tenants.get(tenant)?.waiting ?? 0) + addedLines(tenant),
        perSecond: speed.perSecond,
      })
    },
    want: (asker: Asker): void => {
      wanting.set(asker.batchId, { ...asker, untilMs: now() + wantMs })
    },
    add: (tenant: string, lines: number): (() => void) => {
      const entry: Added = { tenant, lines, waits: false }
      added.add(entry)
      return () => {
        entry.waits = true
      }
    },
  }
}
