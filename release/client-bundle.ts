import { execFile } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const tsc = join(root, 'node_modules/typescript/bin/tsc')

/**
 * Writes the client and the receiver of webhooks into a folder, for any runtime that has `fetch`, each beside its types.
 *
 * @throws when one of them imports what only Node has, or asks for a type that only Node's have.
 */
export const bundleClient = async (folder: string): Promise<void> => {
  await build({
    absWorkingDir: root,
    entryPoints: ['src/client/client.ts', 'src/client/webhooks.ts'],
    outdir: folder,
    bundle: true,
    format: 'esm',
    // Knows no module of Node's: an import of one does not resolve.
    platform: 'neutral',
    target: 'es2022',
    logLevel: 'error',
  })
  const words = ['-p', join(root, 'release/tsconfig.client.json'), '--outDir', folder]
  await promisify(execFile)(process.execPath, [tsc, ...words])
  // The compiler leaves these names as they are in the source, and not every consumer's may name a file of TypeScript.
  for (const name of globSync('*.d.ts', { cwd: folder })) {
    const path = join(folder, name)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"))
  }
}
