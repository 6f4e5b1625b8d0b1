import { renderDuration, renderTable, renderTime } from '../../terminal/format.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { type RouteState, readRoutes } from '../operator-client.ts'
import { type SessionOptions, withSession } from '../session.ts'
export const listRoutes = (options: SessionOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, async ({ api, out, json }) => {
    const routes = await readRoutes(api)
    out(json ? renderJson(routes) : describeRoutes(routes))
    return 0
  })

const heads = ['ROUTE', 'STRATEGY', 'TARGET', 'SHARE', 'FAILURES', 'P95', 'PRICE', 'OUT UNTIL']

const describeRoutes = (routes: readonly RouteState[]): string =>
  routes.length === 0 ? 'There are no routes.' : renderTable([heads, ...routes.flatMap(rowsOf)])

/** A line for each target, in the order of now; the route is named in the first. */
const rowsOf = ({ id, strategy, targets }: RouteState): string[][] =>
  targets.map((target, i) => [
    i === 0 ? id : '',
    i === 0 ? strategy : '',
    `${target.provider}/${target.model}`,
    target.share === null ? '-' : `${Math.round(target.share * 100)} %`,
    String(target.recent_failures),
    target.p95_ms === null ? '-' : renderDuration(target.p95_ms),
    target.price === null ? '-' : `$${target.price.input}/$${target.price.output}`,
    target.available_at === null ? '' : renderTime(target.available_at),
  ])
