import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configJsonSchemaText } from './config-schema.ts'

// `npm run schema`
writeFileSync(join(import.meta.dirname, '../baton.schema.json'), configJsonSchemaText())
