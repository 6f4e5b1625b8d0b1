import { relative } from 'node:path'
import { configPath, isTracked, type Noted } from './files.ts'
import { type Plan, routesOf } from './plan.ts'

export interface Closing {
  readonly plan: Plan
  readonly folder: string
  readonly cwd: string
  readonly ownKey: string
  readonly noted: Noted
}

/** What was written, and what to type next: both commands work as they are printed. */
export const closing = ({ plan, folder, cwd, ownKey, noted }: Closing): string[] => {
  const [first, ...others] = routesOf(plan)
  const body = JSON.stringify({ model: first!.name, messages: [{ role: 'user', content: 'Hello' }] })
  const place = relative(cwd, folder)
  const next =
    others.length === 0
      ? ''
      : `, then ${others.map(({ provider }) => `${provider.type} (${provider.model})`).join(', ')}`
  return [
    `Wrote ${configPath(folder)}${noted.added.length === 0 ? '' : `, and ${noted.added.join(', ')} into the .env beside it (mode 0600)`}.`,
    ...noted.different.map(
      name =>
        `The .env beside it has another ${name}, which stays: it is in use wherever the environment has none. Change one of the two.`,
    ),
    ...(isTracked(folder) ? ['git would take the .env along: put it into .gitignore.'] : []),
    `${first!.name} is asked of ${first!.provider.type}${next}.`,
    ...(others.length === 0 ? ['A second vendor would make it fail over: npx baton init --force'] : []),
    '',
    // From the same folder as this command, where `npx baton` is this program and no stranger's.
    `Start it: npx baton serve${place === '' ? '' : ` --config ${quoted(`${place}/baton.yaml`)}`}`,
    `Watch it: http://127.0.0.1:${plan.port}/ui, with the key below`,
    'Then ask, in another terminal:',
    '',
    `  curl -s http://127.0.0.1:${plan.port}/v1/chat/completions \\`,
    `    -H 'authorization: Bearer ${ownKey}' \\`,
    `    -H 'content-type: application/json' \\`,
    `    -d '${body.replaceAll("'", "'\\''")}'`,
  ]
}

const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
