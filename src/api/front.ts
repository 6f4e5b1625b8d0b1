import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/**
 * The port of a process, which outlives the apps behind it: after a reload new requests go to the app of the new
 * config, also those on connections that are open, and running ones end where they began.
 */
export interface Front {
  /** Absent until the first app listens. */
  readonly server: Server | null
  /** Gives it the requests from now on; the first one begins to listen. */
  serve(app: FastifyInstance, at: { readonly host: string; readonly port: number }): Promise<void>
  /** Closes the port with the app that serves; of an earlier one it waits for the requests to end. */
  leave(app: FastifyInstance, leftMs: () => number): Promise<void>
}

/** How often it is looked whether the requests of an earlier app have ended. */
const lookMs = 50

export const createFront = (): Front => {
  let first: FastifyInstance | null = null
  let current: FastifyInstance | null = null
  const open = new Map<FastifyInstance, Set<ServerResponse>>()

  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const app = current!
    const running = open.get(app)!
    running.add(response)
    response.once('close', () => running.delete(response))
    app.routing(request, response)
  }

  /** Long polls and events end at once: their clients come again. */
  const retire = async (app: FastifyInstance, leftMs: () => number): Promise<void> => {
    app.retire()
    while (open.get(app)!.size > 0 && leftMs() > 0) await delay(lookMs)
    open.delete(app)
    // The first has the port, and stays as a shell.
    if (app !== first) await app.close()
  }

  return {
    get server() {
      return first?.server ?? null
    },
    serve: async (app, at) => {
      open.set(app, new Set())
      if (first === null) {
        current = app
        await app.listen(at)
        first = app
        app.server.removeAllListeners('request')
        app.server.on('request', take)
        return
      }
      await app.ready()
      current = app
    },
    leave: async (app, leftMs) => {
      if (app !== current) return retire(app, leftMs)
      // Those of earlier apps that still answer someone leave with it.
      const leaving = new Set([...open.keys(), first!])
      await Promise.all([...leaving].map(each => each.drain(leftMs())))
    },
  }
}
