import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const build = promisify(execFile)
const shared = globalThis as { [built]?: Promise<unknown> }
const built = Symbol.for('baton.page')

/**
 * Builds the operators' page as it is in the tree: what `npm ci` has built may be older. Vitest calls the default export, once for each
 * project.
 */
export default async function setup(): Promise<void> {
  shared[built] ??= build(process.execPath, [join(import.meta.dirname, '../../ui/build.ts')])
  await shared[built]
}
