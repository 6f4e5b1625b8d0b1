import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runBaton } from '../../src/cli/program.ts'
import { stillIo } from '../cli/command.ts'

const root = join(import.meta.dirname, '../..')

const env = {
  OPENAI_API_KEY: 'k',
  ANTHROPIC_API_KEY: 'k',
  AZURE_API_KEY: 'k',
  GOOGLE_API_KEY: 'k',
  VERTEX_CREDENTIALS: '{"type":"service_account","client_email":"a@b","private_key":"k"}',
  COHERE_API_KEY: 'k',
  AWS_ACCESS_KEY_ID: 'k',
  AWS_SECRET_ACCESS_KEY: 'k',
  MISTRAL_API_KEY: 'k',
  BATON_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
}

describe('configs in examples/', () => {
  test.each(globSync('examples/*.yaml', { cwd: root }))('%s is valid', async file => {
    const lines: string[] = []
    const exitCode = await runBaton(['validate-config', file], {
      ...stillIo,
      cwd: root,
      env,
      out: text => lines.push(text),
      err: text => lines.push(text),
      progress: { write: () => {} },
    })
    expect({ exitCode, faults: lines.join('\n').match(/^ *fault: .*$/gm) }).toEqual({
      exitCode: 0,
      faults: null,
    })
  })
})
