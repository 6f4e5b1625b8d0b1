#!/usr/bin/env node
import { watchParent } from '../lifecycle/parent-watch.ts'
import { runBaton } from './program.ts'

/** The exit code that a shell reports for a command killed by SIGPIPE. Node ignores that signal. */
const brokenPipeCode = 128 + 13

// The reader has read enough, as `head` has.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(brokenPipeCode)
  })
}

// Its shell keeps the SIGTERM that npx passes on.
if (process.env.npm_lifecycle_event === 'npx') watchParent(() => process.kill(process.pid, 'SIGTERM'))

process.exitCode = await runBaton(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  out: text => process.stdout.write(`${text}\n`),
  err: text => process.stderr.write(`${text}\n`),
  progress: process.stderr,
  onInterrupt: handler => {
    process.once('SIGINT', handler)
    return () => process.off('SIGINT', handler)
  },
})
