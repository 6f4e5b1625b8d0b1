import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { members } from '../../chaos/plan/processes.ts'
import { until } from '../../harness/until.ts'

const main = join(import.meta.dirname, '../../chaos/main.ts')

const chaosIn = (env: Record<string, string>, ...args: string[]) => {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, out: text(child.stdout), err: text(child.stderr), closed: once(child, 'close') }
}

const chaos = (...args: string[]) => chaosIn({}, ...args)

/** Same plan each time; what it meets differs from run to run. */
const seed = '205'

describe('npm run chaos', () => {
  it('loses nothing and doubles nothing in a short run', { timeout: 300_000 }, async () => {
    const args = ['--jobs', '100', '--batches', '2', '--lines', '100', '--kills', '5', '--minutes', '0.3']
    const { out, err, closed } = chaos(...args, '--seed', seed)
    const [code] = await closed
    const printed = await out
    expect([code, await err], printed).toEqual([0, ''])
    expect(printed).toContain(`seed ${seed}`)
    expect(printed).toMatch(/of them kill -9 +5\n/)
    expect(printed).toMatch(/lines +200\n/)
    expect(printed.trimEnd()).toMatch(new RegExp(`CHAOS PASSED \\(seed ${seed}\\)$`))
  })

  it('says what it does not understand', async () => {
    const { err, closed } = chaos('--kills', 'many')
    expect((await closed)[0]).toBe(2)
    expect(await err).toContain("--kills takes a whole number from 0 to 10000, not 'many'")
  })

  /** Processes that work in a folder below this one. */
  const processesIn = async (dir: string): Promise<string[]> => {
    const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
    const folders = await Promise.all(pids.map(pid => readlink(`/proc/${pid}/cwd`).catch(() => '')))
    return pids.filter((_, index) => folders[index]!.startsWith(dir))
  }

  it.runIf(process.platform === 'linux')('leaves nothing behind when it is interrupted', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'baton-interrupted-'))
    onTestFinished(() => rm(dir, { recursive: true, force: true }))
    const { child, closed } = chaosIn({ TMPDIR: dir }, '--kills', '0', '--minutes', '5')
    await until(async () => (await processesIn(dir)).length >= members.length)
    child.kill('SIGINT')
    expect((await closed)[0]).toBe(130)
    expect(await readdir(dir)).toEqual([])
    expect(await processesIn(dir)).toEqual([])
  })
})
