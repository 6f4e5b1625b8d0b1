import { checkHealth } from './check-health.ts'

// `node src/healthcheck.ts [role]` ends with 0 or 1.
checkHealth(process.argv.slice(2), process.env).catch((error: Error) => {
  console.error(error.message)
  process.exitCode = 1
})
