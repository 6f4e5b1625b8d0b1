import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNode } from '../harness/child.ts'
import { clientTypes, type OpenApiDocument } from './client-types.ts'

// `npm run client-types`: asks a server of this tree, without a config, what its API is.
const folder = mkdtempSync(join(tmpdir(), 'baton-types-'))
const server = startNode('src/main.ts', [], { cwd: folder, env: { PORT: '0' } })
try {
  const { url } = await server.logged('api listening')
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument
  writeFileSync(join(import.meta.dirname, '../src/client/api-types.ts'), clientTypes(document))
} finally {
  server.signal('SIGTERM')
  await server.exited
  rmSync(folder, { recursive: true, force: true })
}
