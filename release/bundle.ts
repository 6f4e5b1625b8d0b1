import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'
import { keepClassNames } from './class-names.ts'
import { slim } from './slim.ts'

const root = join(import.meta.dirname, '..')

/** Programs that are started by name: the commands, and what `baton serve` runs. */
const entries = { baton: 'src/cli/baton.ts' }

/** What the code reads beside itself, by its path from the root: the scripts of Redis and the operators' page. */
const readAtRunTime = ['src/**/*.lua', 'ui/dist/**/*']

/**
 * A file of the source finds what it reads by its own address, and a bundle has none. In the bundle its address is
 * what it would be if the source lay beside the bundle, and there the files that it reads are copied to.
 *
 * A package that is loaded when it is first needed, and at once, is written as a call that a bundler does not follow: it
 * becomes a file of its own, which most starts do not read. `alone` gets its name.
 */
const ownAddress = (alone: Set<string>): Plugin => ({
  name: 'own-address',
  setup: ({ onLoad, onResolve }) => {
    // Only ours: packages have files of such names as well.
    onResolve({ filter: /^\.\/[\w-]+\.cjs$/ }, ({ path, importer }) =>
      importer.includes('/node_modules/') ? undefined : { path, external: true },
    )
    onLoad({ filter: /\/(?:src|workers)\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (!text.includes('import.meta.')) return undefined
      const address = `new URL(${JSON.stringify(relative(root, path))}, import.meta.url)`
      const contents = text
        .replaceAll(/createRequire\(import\.meta\.url\)\('([^']+)'\)/g, (_, name: string) => {
          alone.add(name)
          return `require('./${fileOf(name)}')`
        })
        .replaceAll('import.meta.url', address)
      return { contents, loader: 'ts', resolveDir: dirname(path) }
    })
  },
})

const fileOf = (name: string): string => `${name.replace(/^@/, '').replaceAll('/', '-')}.cjs`

const common = {
  absWorkingDir: root,
  bundle: true,
  metafile: true,
  platform: 'node',
  target: 'node22',
  legalComments: 'none',
  logLevel: 'error',
} as const

/**
 * Writes the product as JavaScript into a folder: the code of all packages with it, split where something is loaded
 * when it is first needed. Answers what went into it.
 *
 * @throws when a file cannot be resolved or read; esbuild prints which.
 */
export const bundle = async (folder: string): Promise<Metafile> => {
  const alone = new Set<string>()
  const { metafile, outputFiles } = await build({
    ...common,
    entryPoints: entries,
    outdir: folder,
    write: false,
    // Beside the entries, so that the address of every file of the bundle has the same folder.
    chunkNames: '[name]-[hash]',
    splitting: true,
    format: 'esm',
    plugins: [ownAddress(alone), ...slim],
    // Packages of the older kind ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  })
  mkdirSync(folder, { recursive: true })
  for (const { path, text } of outputFiles) writeFileSync(path, keepClassNames(text))
  for (const name of alone) {
    const outfile = join(folder, fileOf(name))
    const { metafile: own } = await build({
      ...common,
      ...{ entryPoints: [name], outfile, format: 'cjs', plugins: [...slim] },
    })
    Object.assign(metafile.inputs, own.inputs)
  }
  for (const name of readAtRunTime.flatMap(pattern => globSync(pattern, { cwd: root })))
    cpSync(join(root, name), join(folder, name), { recursive: true })
  return metafile
}
