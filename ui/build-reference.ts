import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import type * as Esbuild from 'esbuild'

const here = import.meta.dirname
const swagger = join(here, '../node_modules/swagger-ui-dist')

/** The best is 2% smaller, and takes five seconds in place of a fifth. */
const quality = 9

/** Builds the page at `/docs` into a folder: Swagger UI as it is shipped, and the few lines that start it. */
export const buildReference = async ({ build }: typeof Esbuild, folder: string): Promise<void> => {
  mkdirSync(join(folder, 'assets'), { recursive: true })
  const write = (name: string, bytes: Uint8Array): void => {
    writeFileSync(join(folder, name), bytes)
    writeFileSync(
      join(folder, `${name}.br`),
      brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }),
    )
  }
  const put = (name: string, type: string, bytes: Uint8Array): string => {
    const asset = `assets/${name}-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}.${type}`
    write(asset, bytes)
    return `/docs/${asset}`
  }
  const { outputFiles } = await build({
    entryPoints: [join(here, 'docs/page.ts'), join(here, 'docs/page.css')],
    outdir: folder,
    bundle: true,
    format: 'iife',
    minify: true,
    target: 'es2022',
    write: false,
  })
  const built = (ending: string): Uint8Array =>
    outputFiles.find(({ path }) => path.endsWith(ending))!.contents
  const shipped = (name: string): Uint8Array => readFileSync(join(swagger, name))
  const html = readFileSync(join(here, 'docs/index.html'), 'utf8')
    .replace('%SWAGGER_CSS%', put('swagger-ui', 'css', shipped('swagger-ui.css')))
    .replace('%SWAGGER_JS%', put('swagger-ui', 'js', shipped('swagger-ui-bundle.js')))
    .replace('%PAGE_CSS%', put('page', 'css', built('.css')))
    .replace('%PAGE_JS%', put('page', 'js', built('.js')))
  write('index.html', Buffer.from(html))
}
