import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// `npm run matrix [VERSION …]`: packs, installs and runs the package under each line of Node that it is for. The tests themselves
// run on the Node of this clone.
const root = join(import.meta.dirname, '..')
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26']

/** The path of a Node of this line, which npm has as a package. */
const findNode = (version: string): string => {
  // In an empty folder: here the Node of this clone would be found.
  const cwd = mkdtempSync(join(tmpdir(), 'baton-matrix-'))
  const words = ['exec', '--yes', `--package=node@${version}`, '--', 'node', '-p', 'process.execPath']
  const { status, stdout, stderr } = spawnSync('npm', words, { cwd, encoding: 'utf8' })
  rmSync(cwd, { recursive: true })
  if (status !== 0) throw new Error(`npm has no Node ${version}: ${stderr}`)
  return stdout.trim()
}

const results = versions.map(version => {
  const node = findNode(version)
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  const words = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/release/package.test.ts']
  const env = { ...process.env, BATON_NODE: node }
  const { status } = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit', env })
  return { version: stdout.trim(), runs: status === 0 }
})
for (const { version, runs } of results)
  console.log(`Node ${version}: ${runs ? 'runs the package' : 'FAILED'}`)
process.exitCode = results.every(({ runs }) => runs) ? 0 : 1
