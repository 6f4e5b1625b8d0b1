// `node FLAGS release/precompile.mjs DIST`, with the flags and from the place of later starts: what they would compile is
// kept in NODE_COMPILE_CACHE, which makes a start in a fresh container a third shorter.
import { readdirSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What is loaded by the role of a process, or by the command. */
const parts = ['roles', 'admin-app', 'serve', 'provider', 'webhook', 'batch', 'program', 'check-health']

enableCompileCache()
const dist = resolve(process.argv[2] ?? 'dist')
const files = readdirSync(dist)
await Promise.all(
  parts.map(part => {
    const file = files.find(name => new RegExp(`^${part}-\\w+\\.js$`).test(name))
    if (file === undefined) throw new Error(`${dist} has no ${part}`)
    return import(pathToFileURL(`${dist}/${file}`).href)
  }),
)
flushCompileCache()
