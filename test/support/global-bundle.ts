import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from '../../release/bundle.ts'

/**
 * Builds the bundle that processes of tests run. It is what people install, and a start of it takes half of what one
 * from source does. What `npm start` runs is the source: tests of that start it by its name. Vitest calls the default
 * export.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-test-bundle-'))
  await bundle(folder)
  process.env.BATON_PROGRAM = join(folder, 'baton.js')
  return () => rm(folder, { recursive: true })
}
