import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
}

/** `node_modules/a/node_modules/@b/c/lib/x.js` is of the package in `node_modules/a/node_modules/@b/c`. */
const folderOf = (file: string): string | null =>
  file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? null

/** The folders of the packages that these files are of, by name and version. */
const packagesOf = (files: readonly string[]): readonly (Manifest & { readonly folder: string })[] => {
  const folders = new Set(files.map(folderOf).filter(folder => folder !== null))
  return [...folders]
    .map(folder => ({
      ...(JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest),
      folder,
    }))
    .toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1))
}

/**
 * Its licence, its notice where it has one, which Apache's asks to pass on as well, and the licences of what its own bundler has put into
 * these files of it: bundlers leave them beside.
 */
const textOf = (folder: string, files: readonly string[]): string =>
  [
    ...['{LICENSE,LICENCE,license,licence,License}*', 'NOTICE*'].flatMap(pattern =>
      globSync(pattern, { cwd: join(root, folder) })
        .slice(0, 1)
        .map(file => join(folder, file)),
    ),
    ...files.map(file => `${file}.LICENSE.txt`).filter(file => existsSync(join(root, file))),
  ]
    .map(file => readFileSync(join(root, file), 'utf8').trim())
    .join('\n\n')

/**
 * What the licences of bundled packages ask for: their names, versions and texts, each text once. `files` are those of
 * the bundle, by their paths from the root.
 *
 * @throws when a package names no licence: what may not be passed on is not bundled.
 */
export const noticesOf = (files: readonly string[]): string => {
  const byText = new Map<string, string[]>()
  for (const { name, version, license, folder } of packagesOf(files)) {
    const text = textOf(
      folder,
      files.filter(file => folderOf(file) === folder),
    )
    if (license === undefined && text === '') throw new Error(`${name} ${version} names no licence`)
    const known = text === '' ? `${license}. The package comes without its text.` : text
    byText.set(known, [...(byText.get(known) ?? []), `${name} ${version}`])
  }
  const parts = [...byText].map(([text, names]) => `## ${names.join(', ')}\n\n${text}`)
  return `# Packages in this bundle\n\nTheir code is in \`dist\`, under their own licences.\n\n${parts.join('\n\n')}\n`
}
