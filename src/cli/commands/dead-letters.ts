import { renderTable, renderTime } from '../../terminal/format.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { type DeadLetterView, readDeadLetters } from '../operator-client.ts'
import { type SessionOptions, withSession } from '../session.ts'

export const listDeadLetters = (
  options: SessionOptions & { readonly limit: string; readonly after?: string },
  terminal: CommandIo,
): Promise<number> =>
  withSession(terminal, options, async ({ api, out, json }) => {
    const { data, next_cursor } = await readDeadLetters(api, Number(options.limit), options.after)
    if (json) out(renderJson(data))
    else if (data.length === 0)
      out(options.after === undefined ? 'No webhook was given up.' : 'There are no more.')
    else {
      out(renderTable([['OF', 'GIVEN UP', 'ATTEMPTS', 'REASON', 'URL'], ...data.map(row)]))
      if (next_cursor !== null) out(`more: --after ${next_cursor}`)
    }
    return 0
  })

/** Sends the webhook of a job or a batch again, with its schedule from the start. */
export const redeliver = (id: string, options: SessionOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, async ({ api, out, json }) => {
    const answer = await api.ask('POST', `/v1/dead-letters/${encodeURIComponent(id)}/redeliver`)
    out(json ? renderJson(answer) : `the webhook of ${id} is sent again`)
    return 0
  })

const row = ({ id, died_at, attempts, reason, webhook }: DeadLetterView): string[] => [
  id,
  renderTime(died_at),
  String(attempts),
  reason ?? '',
  webhook.url,
]
