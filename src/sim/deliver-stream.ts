import type { ServerResponse } from 'node:http'
import { after } from './deliver.ts'
import type { StreamCourse } from './stream-course.ts'

/** Sends the headers, and then each step in its time, in a chunk of its own. */
export function deliverStream(res: ServerResponse, { headers, steps, ending }: StreamCourse): void {
  res.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    ...headers,
  })
  res.flushHeaders()

  function close(): void {
    if (ending === 'end') res.end()
    // What was written shall arrive: a reset takes along what waits in the socket.
    else if (ending === 'reset') setImmediate(() => res.socket?.resetAndDestroy())
  }

  /** Writes what is due now; a step that is to wait goes on from its timer. */
  function play(from: number): void {
    let index = from
    do {
      const step = steps[index]
      if (step === undefined) break
      res.write(step.bytes)
      index++
    } while (steps[index]?.afterMs === 0)
    const next = steps[index]
    if (!next) close()
    else after(next.afterMs, res, () => play(index))
  }

  after(steps[0]?.afterMs ?? 0, res, () => play(0))
}
