import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { buildReference } from './build-reference.ts'
import { putInPlace } from './put-in-place.ts'

/**
 * Builds the operators' page into `ui/dist`, and the reference of the API into `ui/dist/docs`. `npm ci` runs this: an install without the packages for
 * development has no esbuild, and then the page is left out with a sentence.
 */
const here = import.meta.dirname
const place = join(here, 'dist')
/** On the same disk, so that files can be moved. */
const dist = join(here, `.dist-${process.pid}`)

const esbuild = await import('esbuild').catch(() => null)
if (esbuild === null) {
  console.log('baton: the page of operators is not built, as esbuild is not installed')
  process.exit(0)
}

const result = await esbuild.build({
  entryPoints: [join(here, 'app.tsx')],
  outdir: join(dist, 'assets'),
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  minify: true,
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  write: false,
})

mkdirSync(join(dist, 'assets'), { recursive: true })

const write = (name: string, bytes: Uint8Array): void => {
  writeFileSync(join(dist, name), bytes)
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
  if (brotli.length < bytes.length) writeFileSync(join(dist, `${name}.br`), brotli)
}

const names = result.outputFiles.map(({ path, contents }) => {
  const name = `assets/${path.slice(join(dist, 'assets').length + 1)}`
  write(name, contents)
  return name
})
const icon = readFileSync(join(here, 'icon.svg'))
const iconName = `assets/icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`
write(iconName, icon)

const named = (ending: string): string =>
  `/ui/${names.find(name => name.startsWith('assets/app-') && name.endsWith(ending))}`
const html = readFileSync(join(here, 'index.html'), 'utf8')
  .replace('%ICON%', `/ui/${iconName}`)
  .replace('%CSS%', named('.css'))
  .replace('%JS%', named('.js'))
write('index.html', Buffer.from(html))
await buildReference(esbuild, join(dist, 'docs'))
putInPlace(dist, place)
