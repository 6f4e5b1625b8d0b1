import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

// Writes a Deployment and a ScaledObject for each provider of base/baton.yaml: npm run manifests.

const folder = import.meta.dirname
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

/** The providers that the config of the cluster names: the one list that all of this goes by. */
export const providersOf = (config: string): readonly string[] => Object.keys(parse(config).providers)

const from: Readonly<Record<string, string>> = {
  'base/workers.yaml': 'worker.template.yaml',
  'overlays/full/scaled-objects.yaml': 'overlays/full/scaled-object.template.yaml',
}

/** By path: what the manifests of these providers are. */
export const manifestsFor = (providers: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(from).map(([path, template]) => [
      path,
      `# Written by \`npm run manifests\` from ${template.split('/').at(-1)} and the providers of base/baton.yaml.\n${providers
        .map(name =>
          read(template)
            .replace(/^#.*\n/, '')
            .replaceAll('PROVIDER', name),
        )
        .join('---\n')}`,
    ]),
  )

if (import.meta.main) {
  for (const [path, text] of manifestsFor(providersOf(read('base/baton.yaml')))) {
    writeFileSync(join(folder, path), text)
  }
}
