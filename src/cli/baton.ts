#!/usr/bin/env -S node --max-semi-space-size=16 --heap-growing-percent=10
import { watchParent } from '../lifecycle/parent-watch.ts'
import { runProcess } from '../run-process.ts'
import { asksForHelp, rolesToServe } from './served-roles.ts'

/** The exit code that a shell reports for a command killed by SIGPIPE. Node ignores that signal. */
const brokenPipeCode = 128 + 13

/** That of the package, which is compiled for it. */
const oldestNode = 22
if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  console.error(
    `Baton needs Node ${oldestNode} or later; this is ${process.versions.node}. ` +
      'In this folder, `npm install node@24` brings one along, which npx then takes.',
  )
  process.exit(1)
}

const words = process.argv.slice(2)
const isRunByNpx = process.env.npm_lifecycle_event === 'npx'

/** Colours where there is no terminal, as in the log of a CI: by the values with which Node itself shows some. */
const isForced = (colour: string | undefined): boolean => /^(?:|1|2|3|true)$/.test(colour ?? '0')

/** A command that ends: what it prints is read by a person or a program. */
const runCommand = async (): Promise<void> => {
  // The reader has read enough, as `head` has.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(brokenPipeCode)
    })
  }
  // Its shell keeps the SIGTERM that npx passes on.
  if (isRunByNpx) watchParent(() => process.kill(process.pid, 'SIGTERM'))

  const { runBaton } = await import('./program.ts')
  const { inColour, plain } = await import('../terminal/paint.ts')
  // That of a terminal minds NO_COLOR, FORCE_COLOR and TERM.
  const hasColours = process.stdout.isTTY ? process.stdout.hasColors() : isForced(process.env.FORCE_COLOR)
  const isColoured = hasColours && !words.includes('--no-color')
  process.exitCode = await runBaton(words, {
    cwd: process.cwd(),
    env: process.env,
    out: text => process.stdout.write(`${text}\n`),
    err: text => process.stderr.write(`${text}\n`),
    input: process.stdin,
    output: process.stdout,
    paint: isColoured ? inColour : plain,
    progress: process.stderr,
    onInterrupt: handler => {
      process.once('SIGINT', handler)
      return () => process.off('SIGINT', handler)
    },
  })
}

/** Run every few seconds in each container: it loads as little as it can. */
const checkHealth = async (): Promise<void> => {
  const { ownPortOf, probeReady } = await import('../probe-ready.ts')
  const port = ownPortOf(process.env)
  const byConfig = async (): Promise<void> => {
    const health = await import('../check-health.ts')
    await health.checkHealth(words.slice(1), process.env)
  }
  await (port === null ? byConfig() : probeReady(process.env.ADMIN_HOST ?? '', port)).catch(
    (error: Error) => {
      console.error(error.message)
      process.exitCode = 1
    },
  )
}

const roles = rolesToServe(words)
if (roles !== null) await runProcess(roles, { env: process.env, isRunByNpm: isRunByNpx })
else await (words[0] === 'healthcheck' && !words.some(asksForHelp) ? checkHealth() : runCommand())
