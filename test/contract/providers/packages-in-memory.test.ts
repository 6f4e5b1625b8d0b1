import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { serviceAccount } from './vendors/vertex.ts'

const root = join(import.meta.dirname, '../../..')

const providers = {
  openai: { type: 'openai' },
  anthropic: { type: 'anthropic' },
  azure: { type: 'azure', resource: 'r' },
  google: { type: 'google' },
  vertex: { type: 'vertex', project: 'p', location: 'l', credentials: serviceAccount('http://127.0.0.1:1') },
  cohere: { type: 'cohere' },
  bedrock: { type: 'bedrock', region: 'us-east-1', access_key_id: 'a', secret_access_key: 'b' },
  mistral: { type: 'mistral' },
  'bedrock-of-aws': { type: 'bedrock', region: 'us-east-1' },
  'vertex-by-default': { type: 'vertex', location: 'l' },
  entra: { type: 'azure', resource: 'r' },
}

/** Tells which packages a process has read once it has every provider, and once `name` was called. */
const script = (name: string) => `
import { registerHooks } from 'node:module'
const read = new Set()
registerHooks({
  load: (url, context, next) => {
    const found = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/(?!.*node_modules)/.exec(url)
    if (found) read.add(found[1])
    return next(url, context)
  },
})
const { configSchema } = await import('./src/config/schema.ts')
const { createProvider } = await import('./src/providers/create-provider.ts')
const config = configSchema.parse({ providers: ${JSON.stringify(providers)} }).providers
const made = Object.fromEntries(Object.entries(config).map(([name, p]) => [name, createProvider(name, p)]))
const idle = [...read]
const endpoint = made.${name}.serves('/v1/messages') === 'translated' ? '/v1/messages' : '/v1/chat/completions'
const body = JSON.stringify({ max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] })
const signal = AbortSignal.abort()
await made.${name}.call({ endpoint, body, model: 'm', apiKey: 'k', signal })
console.log(JSON.stringify({ idle, called: [...read] }))
`

const packagesOf = async (name: string): Promise<{ idle: string[]; called: string[] }> => {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script(name)], {
    cwd: root,
  })
  return JSON.parse(stdout)
}

const heavy = /^(@ai-sdk|@aws-sdk|google-auth-library|aws4fetch|gaxios)/

describe('AI SDK packages in memory', () => {
  test.each([
    ['anthropic', '@ai-sdk/anthropic'],
    ['google', '@ai-sdk/google'],
    ['cohere', '@ai-sdk/cohere'],
  ] as const)(
    'a process with every type reads no SDK before a call of %s, and then only its own',
    async (name, sdk) => {
      const { idle, called } = await packagesOf(name)
      expect(idle).toContain('undici')
      expect(idle.filter(found => heavy.test(found))).toEqual([])
      const shared = /^@ai-sdk\/(provider|provider-utils)$/
      expect(called.filter(found => heavy.test(found) && !shared.test(found))).toEqual([sdk])
    },
  )
})
