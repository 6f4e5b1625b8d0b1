import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Consent, createSystem, obtainRedisServer } from '../../../src/redis/dev/binary.ts'

let bin: string
let said: string[]
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'baton-bin-'))
  said = []
})
afterEach(() => rm(bin, { recursive: true }))

/** A command on the PATH of the test, which notes how it was called. */
async function place(name: string, body = ''): Promise<string> {
  const path = join(bin, name)
  await writeFile(path, `#!/bin/sh\necho "${name} $*" >> '${bin}/calls'\n${body}\n`)
  await chmod(path, 0o755)
  return path
}
const installs = (name: string) => `echo '#!/bin/sh' > '${bin}/${name}'; /bin/chmod 755 '${bin}/${name}'`
const calls = () =>
  readFile(join(bin, 'calls'), 'utf8').then(
    text => text.trim().split('\n'),
    () => [],
  )
const obtain = (isRoot: boolean, consent?: Consent) =>
  obtainRedisServer(createSystem({ path: bin, isRoot, say: line => said.push(line) }), consent)

describe('the search for a redis-server', () => {
  it('finds redis-server on the PATH and installs nothing', async () => {
    await place('apt-get')
    await place('valkey-server')
    const path = await place('redis-server')
    expect(await obtain(true)).toBe(path)
    expect(await calls()).toEqual([])
  })

  it('takes valkey-server where there is no redis-server', async () => {
    const path = await place('valkey-server')
    expect(await obtain(true)).toBe(path)
  })

  it('installs as root, after an update of the package lists, and says so', async () => {
    await place('apt-get', `case "$*" in *install*) ${installs('redis-server')};; esac`)
    expect(await obtain(true)).toBe(join(bin, 'redis-server'))
    expect(await calls()).toEqual([
      'apt-get -qq update',
      'apt-get -qq install -y --no-install-recommends redis-server',
    ])
    expect(said).toEqual([
      expect.stringContaining('running: apt-get -qq update'),
      expect.stringContaining('running: apt-get -qq install'),
      expect.stringContaining('installed'),
    ])
  })

  it('installs nothing without consent, and says how to give it', async () => {
    await place('apt-get', installs('redis-server'))
    const asked: string[] = []
    const consent: Consent = async commands => {
      asked.push(...commands.map(command => command.join(' ')))
      return false
    }
    await expect(obtain(true, consent)).rejects.toThrow(
      /REDIS_URL[\s\S]*--install-redis[\s\S]*docker compose up redis/,
    )
    expect(asked).toEqual([
      'apt-get -qq update',
      'apt-get -qq install -y --no-install-recommends redis-server',
    ])
    expect([await calls(), said]).toEqual([[], []])
  })

  it('installs through sudo when that asks for no password', async () => {
    await place('sudo', 'shift; "$@"')
    await place('true')
    await place('dnf', installs('valkey-server'))
    expect(await obtain(false)).toBe(join(bin, 'valkey-server'))
    expect(await calls()).toContain('sudo -n dnf -q -y install redis')
  })

  it('says the three ways and installs nothing when sudo wants a password', async () => {
    await place('sudo', 'exit 1')
    await place('apk', installs('redis-server'))
    await expect(obtain(false)).rejects.toThrow(
      /REDIS_URL[\s\S]*sudo apk add redis[\s\S]*docker compose up redis/,
    )
    expect(await calls()).toEqual(['sudo -n true'])
  })

  it('says the three ways when there is no package manager', async () => {
    await expect(obtain(true)).rejects.toThrow(/no redis-server on the PATH[\s\S]*three ways/)
  })

  it('says which command failed', async () => {
    await place('apt-get', 'exit 100')
    await expect(obtain(true)).rejects.toThrow(
      /`apt-get -qq update` failed with exit code 100[\s\S]*three ways/,
    )
    expect(await calls()).toEqual(['apt-get -qq update'])
  })

  it('says so when the package brought no redis-server', async () => {
    await place('apk')
    await expect(obtain(true)).rejects.toThrow(/apk installed no redis-server[\s\S]*three ways/)
  })
})
