import { enableCompileCache } from 'node:module'
import { watchParent } from './lifecycle/parent-watch.ts'

/** What a signal does. While nothing is open yet, leaving at once is a clean end. */
let stop: (signal: string) => void = () => process.exit(0)
process.on('SIGTERM', signal => stop(signal))
process.on('SIGINT', signal => stop(signal))
// Of a terminal that is closed, or a supervisor that asks to read a config anew: there is nothing to reload.
process.on('SIGHUP', signal => stop(signal))
// By a script of package.json, and not by a script of another kind that leaves this process behind on purpose.
if (process.env.npm_lifecycle_script?.includes('src/main.ts')) watchParent(() => stop('parent gone'))

// A second start finds the TypeScript stripped and compiled: half the time and 25 MB less.
enableCompileCache()

// Everything else is loaded after the handlers stand: loading takes most of a start, and a signal during it would
// otherwise look like a crash to whoever supervises this process.
const { runRoles } = await import('./roles.ts')

runRoles(process.argv.slice(2), process.env, handler => {
  stop = handler
})
