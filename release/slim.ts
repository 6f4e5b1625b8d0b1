import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Plugin, transform } from 'esbuild'

const require = createRequire(import.meta.url)

/**
 * Modules of Node that are loaded by `require`, as an import reads each of their exports: those of `node:http` lead to
 * the whole of Node's own fetch, which is 90 ms of a start.
 */
const byRequire: Plugin = {
  name: 'by-require',
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^(?:node:)?https?$/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'by-require' } : { path, external: true },
    )
    onLoad({ filter: /.*/, namespace: 'by-require' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }))
  },
}

/** Of undici the client, without its fetch, caches, mocks and sockets of other kinds: what the source names. */
const undici = {
  Agent: 'dispatcher/agent',
  Client: 'dispatcher/client',
  buildConnector: 'core/connect',
  errors: 'core/errors',
}

const onlyClient: Plugin = {
  name: 'only-client',
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^undici$/ }, ({ importer }) =>
      /\/(?:src|workers)\//.test(importer) && !importer.includes('node_modules')
        ? { path: 'undici', namespace: 'only-client' }
        : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'only-client' }, () => ({
      contents: Object.entries(undici)
        .map(([name, file]) => `exports.${name} = require('undici/lib/${file}.js')`)
        .join('\n'),
      resolveDir: import.meta.dirname,
    }))
  },
}

/**
 * What packages load for what the source never asks of them, by the end of its file or its name, and what stands in for it:
 * something that says so to whoever comes to use it after all.
 */
const unused: readonly { readonly filter: RegExp; readonly why: string }[] = [
  { filter: /\/client-h2\.js$/, why: 'calls are HTTP/1.1 alone (`allowH2: false`)' },
  { filter: /^cron-parser$/, why: "BullMQ's job schedulers are not used" },
]

const withoutUnused: Plugin = {
  name: 'without-unused',
  setup: ({ onLoad, onResolve }) => {
    for (const { filter, why } of unused)
      onResolve({ filter }, ({ path }) => ({ path, namespace: 'without-unused', pluginData: why }))
    onLoad({ filter: /.*/, namespace: 'without-unused' }, ({ path, pluginData: why }) => ({
      contents: `const refuse = () => { throw new Error(${JSON.stringify(`${path} is not in the bundle: ${why}`)}) }
module.exports = Object.assign(refuse, { parseExpression: refuse, CronExpressionParser: { parse: refuse } })`,
    }))
  },
}

/** Packages whose modules only define things, though they do not say so: what nobody names of them is left out. */
const withoutEffects: Plugin = {
  name: 'without-effects',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^bullmq$/ }, ({ kind }) =>
      kind === 'import-statement'
        ? { path: require.resolve('bullmq').replace('/cjs/', '/esm/'), sideEffects: false }
        : undefined,
    )
  },
}

/** What checks and writes by JSON Schema: the source gives Fastify other compilers, so that it asks for neither. */
const withoutSchemas: Plugin = {
  name: 'without-schemas',
  setup: ({ onLoad, onResolve }) => {
    const filter = /^@fastify\/(?:ajv-compiler|fast-json-stringify-compiler)$/
    onResolve({ filter }, ({ path }) => ({ path, namespace: 'without-schemas' }))
    onLoad({ filter: /.*/, namespace: 'without-schemas' }, ({ path }) => ({
      contents: `module.exports = () => { throw new Error('${path} is not in the bundle') }`,
    }))
  },
}

/** Messages are English, and zod brings forty other languages. */
const oneLanguage: Plugin = {
  name: 'one-language',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/node_modules\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: 'export {}',
    }))
  },
}

/** Code of packages is written short: reading it is a third of a start. Ours is as it was written, for whoever reads a stack. */
const shortPackages: Plugin = {
  name: 'short-packages',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, async ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const { code } = await transform(text, {
        loader: 'js',
        target: 'node22',
        minifyWhitespace: true,
        minifySyntax: true,
        legalComments: 'none',
        keepNames: false,
      })
      return { contents: code, loader: 'js' }
    })
  },
}

export const slim: readonly Plugin[] = [
  byRequire,
  onlyClient,
  withoutEffects,
  withoutSchemas,
  withoutUnused,
  oneLanguage,
  shortPackages,
]
