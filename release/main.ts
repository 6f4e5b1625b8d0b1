import { join } from 'node:path'
import { writePackage } from './pack.ts'

// `npm run package [FOLDER]`
const folder = process.argv[2] ?? join(import.meta.dirname, 'out')
await writePackage(folder)
console.log(folder)
