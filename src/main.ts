import { runProcess } from './run-process.ts'

// By a script of package.json, and not by a script of another kind that leaves this process behind on purpose.
const isRunByNpm = process.env.npm_lifecycle_script?.includes('src/main.ts') === true

await runProcess(process.argv.slice(2), { env: process.env, isRunByNpm })
