import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startCommand } from '../../harness/child.ts'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { testRedis } from '../support/redis.ts'
import { parseCopy, stagesOf } from './container-rules.ts'
import { readDoc, root } from './markdown.ts'

const workdir = '/app'
/** What `.dockerignore` keeps out of a folder that it admits. */
const isIgnored = (path: string): boolean =>
  [join('ui', 'dist'), join('release', 'out')].includes(relative(root, path))

/** Does in folders what the stages of the Dockerfile do, but for its packages, which are those of this clone. */
const layOut = (): string => {
  const site = mkdtempSync(join(tmpdir(), 'baton-image-'))
  onTestFinished(() => rmSync(site, { recursive: true }))
  const stages = stagesOf(readDoc('Dockerfile'))
  const folderOf = (stage: string | null) => join(site, stage ?? 'last')
  for (const { name, instructions } of stages) {
    const dir = folderOf(name)
    const env: Record<string, string> = {}
    mkdirSync(dir)
    if (name !== null) symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
    for (const [word, rest] of instructions) {
      if (word === 'ENV') env[rest.split('=')[0]!] = rest.split('=')[1]!.replace(workdir, dir)
      if (word === 'RUN' && rest.startsWith('node ')) {
        execFileSync(process.execPath, rest.split(' ').slice(1), {
          cwd: dir,
          env: { ...process.env, ...env },
        })
      }
      if (word !== 'COPY') continue
      const { from, sources, target } = parseCopy(rest)
      for (const source of sources) {
        const path = from === null ? join(root, source) : join(folderOf(from), relative(workdir, source))
        const isFile = statSync(path).isFile()
        const to = join(dir, target, isFile && target.endsWith('/') ? basename(source) : '')
        cpSync(path, to, { recursive: true, filter: each => !isIgnored(each) })
      }
    }
  }
  return folderOf(null)
}

test('the image has the package alone, compiled, and serves the operators\u2019 page', async () => {
  const dir = layOut()
  expect(existsSync(join(dir, 'src'))).toBe(false)
  expect(readdirSync(join(dir, 'compiled'))).not.toEqual([])
  const { url: redisUrl, prefix } = testRedis()
  const port = await findFreePort()
  const config = {
    ui: { enabled: true },
    redis: { prefix },
    providers: { sim: { type: 'simulated' } },
    models: { m: { provider: 'sim' } },
  }
  writeFileSync(join(dir, 'baton.yaml'), JSON.stringify(config))
  const baton = startCommand(process.execPath, ['dist/baton.js', 'serve', 'api'], {
    cwd: dir,
    env: { REDIS_URL: redisUrl, PORT: String(port) },
  })
  onTestFinished(() => baton.kill())
  await baton.logged('started')
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  const document = await get('/ui')
  expect([document.status, document.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const [script] = /(?<=src=")\/ui\/assets\/[^"]+/.exec(await document.text())!
  expect((await get(script)).status).toBe(200)
})
