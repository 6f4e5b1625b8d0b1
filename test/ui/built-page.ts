import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Builds the page as it is in the tree: what `npm ci` has built may be older. Takes a quarter of a second. */
export const buildPage = async (): Promise<void> => {
  // Built with all that is shipped, once a run.
  if (process.env.BATON_PROGRAM !== undefined) return
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, '../../ui/build.ts')])
}
