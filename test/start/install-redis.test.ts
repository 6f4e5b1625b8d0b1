import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Deployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { consentOf } from '../../src/redis/dev/ask-install.ts'
import { createSystem } from '../../src/redis/dev/binary.ts'
import { openBaton } from '../support/open-baton.ts'

/** Only its owner's root may install without a password. */
const isRoot = process.getuid?.() === 0

describe('--install-redis', () => {
  describe.runIf(isRoot)('a machine without redis-server', () => {
    let bin: string
    let site: Deployment
    beforeEach(async () => {
      bin = await mkdtemp(join(tmpdir(), 'baton-bin-'))
      // What an installation changes on this machine: a command of the real server on the PATH.
      const server = await createSystem().find('redis-server', 'valkey-server')
      const installed = `#!/bin/sh\nexec ${server} "$@"`
      const script = `#!/bin/sh
echo "$*" >> '${bin}/calls'
case "$*" in *install*) echo '${installed}' > '${bin}/redis-server'; /bin/chmod 755 '${bin}/redis-server';; esac
`
      await writeFile(join(bin, 'apt-get'), script)
      await chmod(join(bin, 'apt-get'), 0o755)
      const config = { providers: { p: { type: 'simulated' } }, server: { port: 0 } }
      site = await openBaton({ level: 'processes', config, env: { PATH: bin } })
    })
    afterEach(async () => {
      await site.close()
      await rm(bin, { recursive: true })
    })
    const calls = () => readFile(join(bin, 'calls'), 'utf8').catch(() => '')

    test.each([[[]], [['api']], [['worker', 'p']]])(
      'is not changed by a start of %j, which tells the ways',
      async args => {
        const baton = site.run(...args)
        expect((await baton.exited).code).toBe(1)
        expect(baton.output).toMatch(/REDIS_URL[\s\S]*--install-redis[\s\S]*docker compose up redis/)
        expect(await calls()).toBe('')
      },
    )

    test('is changed by --install-redis', async () => {
      const baton = site.run('--install-redis')
      await baton.logged('started')
      expect(await calls()).toContain('install -y')
      baton.signal('SIGTERM')
      expect((await baton.exited).code).toBe(0)
    })
  })

  describe('whoever sits at the terminal', () => {
    const commands = [
      ['apt-get', 'update'],
      ['apt-get', 'install', 'redis'],
    ]
    const sitting = (more: object = {}) => {
      const input = Object.assign(new PassThrough(), { isTTY: true })
      const output = Object.assign(new PassThrough(), { isTTY: true })
      const stop = new AbortController()
      const asked = { isTold: false, isUnattended: false, input, output, signal: stop.signal, ...more }
      return { input, output, stop, consents: consentOf(asked)(commands) }
    }

    test.each([
      ['y', true],
      ['Yes', true],
      ['n', false],
      ['', false],
      ['yesterday', false],
    ])('is asked, and answers "%s"', async (answer, consents) => {
      const at = sitting()
      at.input.write(`${answer}\n`)
      expect(await at.consents).toBe(consents)
      at.output.end()
      expect(await text(at.output)).toContain('`apt-get update && apt-get install redis`? [y/N]')
    })

    test('is not asked again by the flag', async () => {
      const at = sitting({ isTold: true })
      expect(await at.consents).toBe(true)
      expect(at.output.readableLength).toBe(0)
    })

    test('is nobody in CI, behind a pipe, or under a supervisor', async () => {
      const pipe = new PassThrough()
      for (const more of [{ isUnattended: true }, { input: pipe }, { output: pipe }]) {
        expect(await sitting(more).consents).toBe(false)
      }
    })

    test('may leave without an answer', async () => {
      const at = sitting()
      await until(() => at.output.readableLength > 0)
      at.stop.abort()
      expect(await at.consents).toBe(false)
      const gone = sitting()
      gone.input.end()
      expect(await gone.consents).toBe(false)
    })
  })
})
