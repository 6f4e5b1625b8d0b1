import type { UsageView } from '../src/api/operator/usage-view.ts'

type UsageRow = UsageView['data'][number]

const fields = [
  ...['day', 'group', 'cost_usd', 'unpriced', 'requests', 'failed'],
  ...['input_tokens', 'cached_tokens', 'output_tokens'],
] as const

/** A cell that begins with one of these is a formula to a spreadsheet. */
const quoted = (value: string | number | null): string => {
  const text = String(value ?? '')
  return typeof value === 'string'
    ? `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
    : text
}

/** Rows of usage as a table for spreadsheets. */
export const usageCsv = (rows: readonly UsageRow[]): string =>
  [fields.join(), ...rows.map(row => fields.map(name => quoted(row[name as keyof UsageRow])).join())].join(
    '\r\n',
  )
