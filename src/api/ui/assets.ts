import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'

import { BatonError } from '../../domain/errors.ts'
import { acceptedEncoding } from '../http/accept-encoding.ts'

/** Where `npm ci` builds the pages, see `ui/build.ts`. */
const dist = fileURLToPath(new URL('../../../ui/dist', import.meta.url))

const ownOnly = [
  "default-src 'none'",
  ...[
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ],
]

/** A page that this server serves: a document, and files below `assets/` that it names. */
export interface ServedPage {
  /** The document's, and that of all below it which are no files. */
  readonly path: `/${string}`
  /** Within the built pages. */
  readonly folder: string
  readonly policy: string
}

/** Nothing but what this server itself serves, and no text that becomes code. */
export const operatorPage: ServedPage = {
  path: '/ui',
  folder: '.',
  policy: [
    ...ownOnly,
    "img-src 'self'",
    "form-action 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
}

/** Swagger UI has its pictures within its style sheet, and writes what it renders of Markdown as text of HTML, cleaned by DOMPurify. */
export const referencePage: ServedPage = {
  path: '/docs',
  folder: 'docs',
  policy: [...ownOnly, 'img-src data:', "form-action 'none'"].join('; '),
}

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

/** A page is small: it is read once, and no request names a file of the disk. */
const readAssets = (folder: string): ReadonlyMap<string, Asset> => {
  const read = (name: string): Buffer => readFileSync(join(folder, name))
  const names = globSync(['index.html', 'assets/*.{js,css,svg}'], { cwd: folder })
  return new Map(
    names.map(name => [
      name,
      {
        type: types[name.slice(name.lastIndexOf('.') + 1)]!,
        plain: read(name),
        brotli: existsSync(join(folder, `${name}.br`)) ? read(`${name}.br`) : null,
      },
    ]),
  )
}

/** The document for the page's path and all below it, and its hashed files. They are read when the first is asked for. */
export const addPageRoutes = (scope: FastifyInstance, { path: root, folder, policy }: ServedPage): void => {
  let assets: ReadonlyMap<string, Asset> | null = null
  const send = (path: string) => {
    assets ??= readAssets(join(dist, folder))
    const isFile = path.startsWith('assets/')
    const asset = assets.get(isFile ? path : 'index.html')
    if (asset !== undefined) return { asset, isFile }
    throw new BatonError(
      'not_found',
      assets.size === 0 ? 'The page is not built: `npm run build:ui` builds it.' : 'There is no such file.',
    )
  }
  for (const url of [root, `${root}/*`])
    scope.get<{ Params: { '*'?: string } }>(url, async (request, reply) => {
      const { asset, isFile } = send(request.params['*'] ?? '')
      const isBrotli =
        acceptedEncoding(
          request.headers['accept-encoding'],
          name => name === 'br' && asset.brotli !== null,
        ) !== null
      if (isBrotli) reply.header('content-encoding', 'br')
      return (
        reply
          .headers({
            'content-type': asset.type,
            'content-security-policy': policy,
            vary: 'Accept-Encoding',
          })
          // The document names its files by their content's hash.
          .header('cache-control', isFile ? 'public, max-age=31536000, immutable' : 'no-cache')
          .send(isBrotli ? asset.brotli : asset.plain)
      )
    })
}
