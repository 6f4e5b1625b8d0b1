import { createInterface } from 'node:readline/promises'
import type { Consent } from './binary.ts'

export interface Asked {
  /** `--install-redis`: it is said already. */
  readonly isTold: boolean
  /** Nobody sits there, whatever the terminal says. */
  readonly isUnattended: boolean
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean }
  /** Somebody asks the process to end. */
  readonly signal: AbortSignal
}

/** A terminal that nobody looks at must not keep a supervisor waiting. */
const patienceMs = 60_000

/**
 * Whether redis-server may be installed: when the command says so, or whoever sits at the terminal. A start that finds no
 * Redis changes the machine for nobody else.
 */
export const consentOf =
  ({ isTold, isUnattended, input, output, signal }: Asked): Consent =>
  async commands => {
    if (isTold) return true
    if (isUnattended || input.isTTY !== true || output.isTTY !== true) return false
    // Not as a terminal of its own: Ctrl-C is the process's, as ever.
    const asking = createInterface({ input, output, terminal: false })
    const hungUp = new AbortController()
    asking.once('close', () => hungUp.abort())
    const lines = commands.map(command => command.join(' ')).join(' && ')
    const question = `There is no redis-server on the PATH. Install it now, by \`${lines}\`? [y/N] `
    try {
      const patience = AbortSignal.any([signal, hungUp.signal, AbortSignal.timeout(patienceMs)])
      return /^y(es)?$/i.test((await asking.question(question, { signal: patience })).trim())
    } catch {
      return false
    } finally {
      asking.close()
    }
  }
