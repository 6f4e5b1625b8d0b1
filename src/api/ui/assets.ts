import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { BatonError } from '../../domain/errors.ts'
import type { ApiScope } from '../parts.ts'

/** Where `npm ci` builds the page, see `ui/build.ts`. */
const dist = fileURLToPath(new URL('../../../ui/dist', import.meta.url))

/** Nothing but what this server itself serves, and no text that becomes code. */
export const pagePolicy = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "form-action 'self'"],
  ...[
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ],
].join('; ')

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  html: 'text/html; charset=utf-8',
}

interface Asset {
  readonly type: string
  readonly plain: Buffer
  /** Null where the file is too small for it. */
  readonly brotli: Buffer | null
}

/** The page is small: it is read once, and no request names a file of the disk. */
const readAssets = (): ReadonlyMap<string, Asset> => {
  const read = (name: string): Buffer => readFileSync(join(dist, name))
  const names = globSync('**/*.{js,css,svg,html}', { cwd: dist })
  return new Map(
    names.map(name => [
      name,
      {
        type: types[name.slice(name.lastIndexOf('.') + 1)]!,
        plain: read(name),
        brotli: existsSync(join(dist, `${name}.br`)) ? read(`${name}.br`) : null,
      },
    ]),
  )
}

/** `GET /ui` and all below it: the document for every screen, and its hashed files. */
export const addAssetRoutes = (scope: ApiScope): void => {
  const assets = readAssets()
  const send = (path: string) => {
    const isFile = path.startsWith('assets/')
    const asset = assets.get(isFile ? path : 'index.html')
    if (asset !== undefined) return { asset, isFile }
    throw new BatonError(
      'not_found',
      assets.size === 0 ? 'The page is not built: `npm run build:ui` builds it.' : 'There is no such file.',
    )
  }
  for (const url of ['/ui', '/ui/*'])
    scope.get<{ Params: { '*'?: string } }>(url, async (request, reply) => {
      const { asset, isFile } = send(request.params['*'] ?? '')
      const isBrotli = asset.brotli !== null && /\bbr\b/.test(request.headers['accept-encoding'] ?? '')
      if (isBrotli) reply.header('content-encoding', 'br')
      return (
        reply
          .headers({
            'content-type': asset.type,
            'content-security-policy': pagePolicy,
            vary: 'Accept-Encoding',
          })
          // The document names its files by their content's hash.
          .header('cache-control', isFile ? 'public, max-age=31536000, immutable' : 'no-cache')
          .send(isBrotli ? asset.brotli : asset.plain)
      )
    })
}
