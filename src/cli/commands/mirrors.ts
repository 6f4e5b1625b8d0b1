import { renderTable } from '../../terminal/format.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { describePairs, readPairs } from '../mirror-pairs-text.ts'
import { type MirrorState, readMirrors } from '../operator-client.ts'
import { type SessionOptions, withSession } from '../session.ts'

export interface MirrorOptions extends SessionOptions {
  /** The name of a route. */
  readonly pairs?: string
}

/** What each mirror has shown, or the last answers of one that were not the route's own. */
export const listMirrors = (options: MirrorOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, async ({ api, out, json }) => {
    if (options.pairs === undefined) {
      const mirrors = await readMirrors(api)
      out(json ? renderJson(mirrors) : describeMirrors(mirrors))
      return 0
    }
    const text = await api.askText('GET', `/v1/mirrors/${encodeURIComponent(options.pairs)}/pairs`)
    const pairs = readPairs(text)
    if (json) out(renderJson(pairs))
    else if (pairs.length > 0) out(describePairs(pairs))
    else out(whyNone(options.pairs, await readMirrors(api)))
    return 0
  })

const heads = [
  'ROUTE',
  'MIRROR',
  'SAMPLED',
  'COMPARED',
  'FAILED',
  'EXACT',
  'ALIKE',
  'LATENCY',
  'COST',
  'PAIRS',
]

const describeMirrors = (mirrors: readonly MirrorState[]): string =>
  mirrors.length === 0 ? 'No route has a mirror.' : renderTable([heads, ...mirrors.map(row)])

const row = ({ route, to, agreement, latency_ms, cost_usd, ...counts }: MirrorState): string[] => [
  route,
  `${to.provider}/${to.model}`,
  String(counts.sampled),
  String(counts.compared),
  String(counts.failed),
  share(agreement.exact.share),
  share(agreement.normalised.share),
  latency_ms.mean_difference === null ? '-' : signed(latency_ms.mean_difference, '', ' ms'),
  cost_usd.mean_difference === null ? '-' : signed(cost_usd.mean_difference, '$'),
  counts.keep_pairs === 0 ? 'not kept' : `last ${counts.keep_pairs}`,
]

const share = (part: number | null): string => (part === null ? '-' : `${Math.round(part * 100)} %`)

/** How much more the mirror takes: `+120 ms`, `-$0.002`. */
const signed = (more: number, before: string, after = ''): string =>
  `${more < 0 ? '-' : '+'}${before}${Math.abs(more)}${after}`

const whyNone = (route: string, mirrors: readonly MirrorState[]): string =>
  mirrors.find(mirror => mirror.route === route)?.keep_pairs === 0
    ? `The mirror of ${route} keeps no answers: its keep_pairs is 0.`
    : `No answers of ${route} and its mirror that differ are kept.`
