import { Cluster, Command, type Redis } from 'ioredis'
import type { PackedScript, RunScript, Script, ScriptArgument } from './scripts.ts'

/** Too few replicas said in time that they have what was written. It stands all the same, unless Redis fails over. */
export class NotReplicatedError extends Error {}

export interface ReplicatedOptions {
  /** How many replicas must have a write. */
  readonly replicas: number
  /** How long they may take. */
  readonly timeoutMs: number
}

/**
 * Runs scripts so that the confirmed ones resolve when replicas have what they made; they reject with
 * NotReplicatedError when the replicas do not say so in time. `run` serves the others. `writer` must be a
 * connection of its own: it stands still while replicas are waited for.
 */
export const createReplicatedRunner = (
  run: RunScript,
  writer: { readonly redis: Redis | Cluster; readonly run: RunScript },
  options: ReplicatedOptions,
): RunScript => {
  const confirmed = async (key: string, write: () => Promise<unknown>): Promise<unknown> => {
    const server = await connectedServer(writer.redis, key)
    const stream = server?.stream
    const reply = await write()
    await confirm(server, key, options)
    // What was written before the connection changed may have been written to another server.
    if (server?.stream !== stream || serverOf(writer.redis, key) !== server) throw new NotReplicatedError()
    return reply
  }
  const runConfirmed = (script: Script, args: readonly ScriptArgument[]) =>
    script.confirmed ? confirmed(String(args[0]), () => writer.run(script, args)) : run(script, args)
  return Object.assign(runConfirmed, {
    packed: (script: PackedScript, key: string, message: readonly unknown[]) =>
      script.confirmed
        ? confirmed(key, () => writer.run.packed(script, key, message))
        : run.packed(script, key, message),
  })
}

/** The server that has the key, as far as it is known now. */
const serverOf = (redis: Redis | Cluster, key: string): Redis | undefined => {
  if (!(redis instanceof Cluster)) return redis
  const [master] = redis.slots[new Command('get', [key]).getSlot()] ?? []
  return redis.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === master)
}

/** Nodes of a Cluster are connected when they are first asked for something. */
const connectedServer = async (redis: Redis | Cluster, key: string): Promise<Redis | undefined> => {
  const server = serverOf(redis, key)
  if (server !== undefined && server.status !== 'ready') await server.ping()
  return server
}

/** In which the key of a confirmation is gone again. */
const markMs = 10_000

/**
 * Replicas get all writes of a server in one order, so one that has this write has all before it: also what another
 * request wrote, and this one only found.
 */
const confirm = async (
  server: Redis | undefined,
  key: string,
  { replicas, timeoutMs }: ReplicatedOptions,
): Promise<void> => {
  try {
    // In the slot of the key, for a Cluster.
    const mark = `${key.slice(0, key.indexOf('}') + 1)}:mark`
    // WAIT is about what was written on the same connection before.
    const [, count] = await Promise.all([
      server?.set(mark, 1, 'PX', markMs),
      server?.wait(replicas, timeoutMs) ?? 0,
    ])
    if (count < replicas) throw new NotReplicatedError(`${count} of ${replicas} replicas have it`)
  } catch (cause) {
    throw cause instanceof NotReplicatedError ? cause : new NotReplicatedError(undefined, { cause })
  }
}
