import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'
import { createLifecycle } from '../../src/lifecycle/lifecycle.ts'
import { createLogger } from '../../src/lifecycle/logger.ts'
import { openNames } from '../../src/net/names/open-names.ts'
import { openBlobStore } from '../../src/start-blobs.ts'
import { StartError } from '../../src/start-error.ts'

const folder = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-open-blobs-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

const open = async (storage: object) => {
  const life = createLifecycle(1_000, createLogger('silent'))
  onTestFinished(() => life.stop())
  const names = openNames({ servers: [], timeoutMs: 1_000 })
  const log = createLogger('silent')
  return openBlobStore(life, { config: configSchema.parse({ storage }), names, now: Date.now, log })
}

describe('the store of blobs', () => {
  it('opens a store that the config names', async () => {
    const blobs = await open({ path: join(await folder(), 'blobs') })
    async function* source() {
      yield Buffer.from('hello')
    }
    expect(await blobs.write('g/a', source())).toEqual({ bytes: 5 })
  })

  it('refuses to start where nothing can be written, and says why', async () => {
    const dir = await folder()
    await writeFile(join(dir, 'file'), '')
    const path = join(dir, 'file', 'blobs')
    await expect(open({ path })).rejects.toThrow(
      new StartError(
        `Files cannot be kept: the directory ${path} cannot be written to (ENOTDIR). Set \`storage\` to a place that works.`,
      ),
    )
    const s3 = {
      bucket: 'b',
      endpoint: 'http://127.0.0.1:9',
      access_key_id: 'an-id',
      secret_access_key: 'a-secret',
    }
    await expect(open({ s3: { ...s3, force_path_style: true } })).rejects.toThrow(
      /^Files cannot be kept: the S3 bucket b at 127\.0\.0\.1:9 cannot be written to \(ECONNREFUSED\)/,
    )
  })

  it('loads the client of S3 for S3 alone', async () => {
    const module = fileURLToPath(new URL('../../src/start-blobs.ts', import.meta.url))
    const s3 = { bucket: 'b', region: 'r', prefix: 'p', force_path_style: true }
    const loads = async (settings: object) => {
      const script = `
      import { registerHooks } from 'node:module'
      let loaded = 0
      registerHooks({ load: (url, context, next) => { loaded += url.includes('@aws-sdk'); return next(url, context) } })
      const { openBlobs } = await import(${JSON.stringify(module)})
      await openBlobs(${JSON.stringify({ path: '.baton/blobs', ...settings })})
      console.log(loaded > 0)`
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
      return stdout.trim()
    }
    expect(await loads({})).toBe('false')
    expect(await loads({ s3 })).toBe('true')
  })
})
