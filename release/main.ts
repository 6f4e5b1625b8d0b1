import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writePackage } from './pack.ts'

// `npm run package [FOLDER]`
const { positionals } = parseArgs({ allowPositionals: true })
const folder = positionals[0] ?? join(import.meta.dirname, 'out')
await writePackage(folder)
console.log(folder)
