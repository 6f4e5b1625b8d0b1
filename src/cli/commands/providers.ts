import { renderTable, renderTime } from '../../terminal/format.ts'
import { type Paint, paintStatus } from '../../terminal/paint.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { type ProviderState, readProviders } from '../operator-client.ts'
import { type SessionOptions, withSession } from '../session.ts'

export const listProviders = (options: SessionOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, async ({ api, out, json, paint }) => {
    const providers = await readProviders(api)
    out(json ? renderJson(providers) : describeProviders(providers, paint))
    return 0
  })

/** Keeps a provider out of use, or ends that. */
export const setProvider = (
  action: 'pause' | 'resume',
  name: string,
  options: SessionOptions & { readonly note?: string },
  terminal: CommandIo,
): Promise<number> =>
  withSession(terminal, options, async ({ api, out, json, paint }) => {
    const { note } = options
    const path = `/v1/providers/${encodeURIComponent(name)}/${action}`
    const provider = (await api.ask(
      'POST',
      path,
      note === undefined ? {} : { body: { note } },
    )) as ProviderState
    out(json ? renderJson(provider) : describeProviders([provider], paint))
    return 0
  })

export const describeProviders = (providers: readonly ProviderState[], paint: Paint): string =>
  renderTable([
    ['PROVIDER', 'TYPE', 'STATE', 'UNTIL', 'WAITING', 'CALLS', 'WORKERS'],
    ...providers.map(provider => row(provider, paint)),
  ])

const row = ({ name, type, queue, workers, until, ...health }: ProviderState, paint: Paint): string[] => [
  name,
  type,
  paintStatus(paint, stateOf(health)),
  until === null ? '' : renderTime(until),
  String(queue.waiting),
  String(queue.active),
  String(workers.length),
]

/** `open (http_503)`, `recovering, 25 % of the traffic`. */
const stateOf = ({ state, reason, share }: Pick<ProviderState, 'state' | 'reason' | 'share'>): string => {
  const traffic = state === 'recovering' ? `, ${Math.round(share * 100)} % of the traffic` : ''
  const why = reason === null || state === 'recovering' ? '' : ` (${reason})`
  return `${state}${traffic}${why}`
}
