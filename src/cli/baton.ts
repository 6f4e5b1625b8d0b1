#!/usr/bin/env node
import { runBaton } from './program.ts'

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
