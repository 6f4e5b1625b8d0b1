// By its default: a name that an old Node lacks would end the process before it can say so.
import nodeModule from 'node:module'
import { watchParent } from './lifecycle/parent-watch.ts'

/**
 * Runs the roles that the words name, as the only thing that this process does. Handlers of signals stand before
 * anything else is loaded: loading takes most of a start, and a signal during it would otherwise look like a crash to
 * whoever supervises this process.
 */
export const runProcess = async (
  words: readonly string[],
  { env, isRunByNpm }: { readonly env: NodeJS.ProcessEnv; readonly isRunByNpm: boolean },
): Promise<void> => {
  /** What a signal does. While nothing is open yet, leaving at once is a clean end. */
  let stop: (signal: string) => void = () => process.exit(0)
  process.on('SIGTERM', signal => stop(signal))
  process.on('SIGINT', signal => stop(signal))
  /** Nothing is open yet that could have another config. */
  let reload: () => void = () => {}
  // Of a terminal that is closed, or of whoever asks to read the config anew.
  process.on('SIGHUP', signal => (process.stdin.isTTY ? stop(signal) : reload()))
  if (isRunByNpm) watchParent(() => stop('parent gone'))

  // A second start finds the code compiled, and from source the TypeScript stripped: half the time and 25 MB less.
  nodeModule.enableCompileCache()
  const { runRoles } = await import('./roles.ts')
  await runRoles(words, env, {
    onStop: handler => {
      stop = handler
    },
    onReload: handler => {
      reload = handler
    },
  })
}
