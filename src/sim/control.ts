import type { IncomingMessage, ServerResponse } from 'node:http'
import { type BehaviourInput, behaviourSchema } from './behaviour.ts'
import type { CallEntry } from './call-journal.ts'
import type { SimStats } from './call-stats.ts'
import { jsonReply, type Reply, send } from './deliver.ts'
import { readBody } from './http-listener.ts'
export const controlPrefix = '/__sim/'

interface Controls {
  readonly stats: () => SimStats
  /** Null where none is kept. */
  readonly journal: () => readonly CallEntry[] | null
  readonly script: (behaviour: BehaviourInput) => void
  readonly reset: () => void
}

const problem = (status: number, message: string): Reply => jsonReply(status, {}, { error: { message } })

function setBehaviour(text: string, script: Controls['script']): Reply {
  let input: unknown
  try {
    input = JSON.parse(text)
  } catch {
    return problem(400, 'not JSON')
  }
  const parsed = behaviourSchema.safeParse(input)
  if (!parsed.success) return problem(400, parsed.error.message)
  script(parsed.data)
  return jsonReply(200, {}, parsed.data)
}

/** The way to steer a simulated provider that runs in another process. */
export function createControlHandler({ stats, journal, script, reset }: Controls) {
  function answer(method: string, path: string, text: string): Reply {
    switch (`${method} ${path}`) {
      case 'GET /__sim/stats':
        return jsonReply(200, {}, stats())
      case 'GET /__sim/journal':
        return jsonReply(200, {}, { calls: journal() })
      case 'POST /__sim/behaviour':
        return setBehaviour(text, script)
      case 'POST /__sim/reset':
        reset()
        return jsonReply(200, {}, stats())
      default:
        return problem(404, 'there are GET stats, GET journal, POST behaviour and POST reset')
    }
  }

  return (req: IncomingMessage, res: ServerResponse, path: string): void =>
    readBody(req, text => send(res, answer(req.method ?? '', path, text)))
}
