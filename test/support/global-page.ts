import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Builds the operators' page as it is in the tree: what `npm ci` has built may be older. Vitest calls the default export. */
export default async function setup(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, '../../ui/build.ts')])
}
