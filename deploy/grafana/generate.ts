import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rows } from './board.ts'
import { dashboardOf } from './dashboard.ts'

// Writes the dashboard for Grafana: npm run boards.

export const boardText = (): string => `${JSON.stringify(dashboardOf(rows), null, 2)}\n`

if (import.meta.main) writeFileSync(join(import.meta.dirname, 'baton.json'), boardText())
