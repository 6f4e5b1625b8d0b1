import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from './bundle.ts'
import { bundleClient } from './client-bundle.ts'
import { noticesOf } from './notices.ts'

const root = join(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The name on the registry: `baton` alone is another project's. */
const publishedName = '@baton-llm/baton'

/** What is of use to who has only the package. */
const copied = [
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'SECURITY.md',
  'baton.example.yaml',
  'baton.schema.json',
]

/** What the pages are built of: their build, which runs at install, tells nobody. */
const ofPages = [
  ...['preact', '@preact/signals', '@preact/signals-core', 'uplot'].map(name => `${name}/package.json`),
  'swagger-ui-dist/swagger-ui-bundle.js',
].map(file => `node_modules/${file}`)

/** The package has no dependency: all is in the bundle, so what was tested is what is installed. */
const published = {
  name: publishedName,
  ...Object.fromEntries(['version', 'description', 'license', 'type'].map(key => [key, manifest[key]])),
  keywords: ['llm', 'queue', 'batch', 'failover', 'bullmq', 'openai', 'anthropic'],
  // What the bundle is compiled for; the clone needs Node 24, which strips the types.
  engines: { node: '>=22' },
  bin: { baton: 'dist/baton.js' },
  exports: {
    './client': { types: './dist/client/client.d.ts', default: './dist/client/client.js' },
    './webhooks': { types: './dist/client/webhooks.d.ts', default: './dist/client/webhooks.js' },
    './package.json': './package.json',
  },
  files: [
    'dist',
    'docs',
    'NOTICES.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'baton.example.yaml',
    'baton.schema.json',
  ],
}

/**
 * Writes the package into a folder, ready for `npm pack` or `npm publish` there.
 *
 * @throws when the operators' page was not built, or a package may not be passed on.
 */
export const writePackage = async (folder: string): Promise<void> => {
  if (!existsSync(join(root, 'ui/dist/docs/index.html')))
    throw new Error('The page is not built: npm run build:ui')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const { inputs } = await bundle(join(folder, 'dist'))
  await bundleClient(join(folder, 'dist/client'))
  writeFileSync(join(folder, 'NOTICES.md'), noticesOf([...Object.keys(inputs), ...ofPages]))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
  for (const file of copied) copyFileSync(join(root, file), join(folder, file))
  mkdirSync(join(folder, 'docs'))
  for (const page of globSync('docs/*.md', { cwd: root })) copyFileSync(join(root, page), join(folder, page))
}
