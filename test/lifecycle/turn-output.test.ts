import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const logger = new URL('../../src/lifecycle/logger.ts', import.meta.url).href

/** What a process prints that does this with its logger, to a pipe. */
const printedBy = async (script: string): Promise<readonly string[]> => {
  const text = `import { createLogger } from '${logger}'\nconst log = createLogger('info')\n${script}`
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', text], {
    maxBuffer: 1e8,
  })
  const stdout = await run.then(
    done => done.stdout,
    failed => (failed as { stdout: string }).stdout,
  )
  return stdout.split('\n').filter(line => line.startsWith('{'))
}

describe('log lines on stdout', () => {
  it.each([
    ['comes to its end', ''],
    ['exits at once', 'process.exit(0)'],
    ['throws', `throw new Error('x')`],
    ['hangs up a promise that fails', `Promise.reject(new Error('x'))`],
  ])('are all there when the process %s', async (_, end) => {
    expect(
      await printedBy(`log.info('a'); log.child({ b: 1 }).info('b'); createLogger('info').warn('c');${end}`),
    ).toEqual(['a', 'b', 'c'].map(msg => expect.stringContaining(`"msg":"${msg}"`)))
  })

  it('are whole and in order, however many come in one turn', async () => {
    const lines = await printedBy(
      `for (let n = 0; n < 5000; n++) log.info({ n, text: 'x'.repeat(n % 700) }, 'm')`,
    )
    expect(lines.map(line => (JSON.parse(line) as { n: number }).n)).toEqual(
      Array.from({ length: 5_000 }, (_, n) => n),
    )
  })

  it('leave with the turn, not when there are enough', async () => {
    const lines = await printedBy(
      `log.info('first'); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50)`,
    )
    expect(lines).toHaveLength(1)
  })

  it('do not wait for the disk', async () => {
    const lines = await printedBy(
      `const fs = await import('node:fs')
      fs.default.fsyncSync = () => fs.writeSync(1, '{"synced":true}\\n')
      log.info('a'); setTimeout(() => log.info('b'), 10)`,
    )
    expect(lines.map(line => (JSON.parse(line) as { msg?: string }).msg)).toEqual(['a', 'b'])
  })
})
