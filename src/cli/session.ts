import { resolve } from 'node:path'
import type { Paint } from '../terminal/paint.ts'
import { createScreen, noScreen, type Screen } from '../terminal/screen.ts'
import { type ApiOptions, findApi } from './api-address.ts'
import { type ApiClient, createApiClient } from './api-client.ts'
import { type BatchClient, createBatchClient } from './batch-client.ts'
import { type CommandIo, interrupted } from './command-io.ts'

export interface SessionOptions extends ApiOptions {
  readonly json: boolean
  /** Without progress and advice. */
  readonly quiet?: boolean
}

/** A command's conversation with the API, which Ctrl-C may end at any time. */
export interface Session {
  readonly api: ApiClient
  readonly batches: BatchClient
  readonly screen: Screen
  readonly out: CommandIo['out']
  readonly input: CommandIo['input']
  readonly output: CommandIo['output']
  readonly paint: Paint
  readonly json: boolean
  readonly signal: AbortSignal
  /** Absolute, from where the command was given. */
  pathOf(name: string): string
  /** A command that a person can type next. */
  suggest(command: string): string
  /** What Ctrl-C leaves behind, printed when it is pressed. */
  leaves(text: string): void
}

/** Runs a command's part that talks to the API; answers its exit code, or 130 after Ctrl-C. */
export const withSession = async (
  terminal: CommandIo,
  options: SessionOptions,
  work: (session: Session) => Promise<number>,
): Promise<number> => {
  const stopping = new AbortController()
  const { signal } = stopping
  const api = createApiClient(findApi(terminal, options), signal)
  const screen = options.quiet ? noScreen : createScreen(terminal.progress, () => performance.now())
  let left = 'nothing was changed'
  const giveBack = terminal.onInterrupt(() => stopping.abort())
  try {
    return await work({
      api,
      batches: createBatchClient(api, signal),
      screen,
      ...{ out: terminal.out, input: terminal.input, output: terminal.output, paint: terminal.paint },
      json: options.json,
      signal,
      pathOf: name => resolve(terminal.cwd, name),
      suggest: command => `npx baton ${command}${options.url === undefined ? '' : ` --url ${options.url}`}`,
      leaves: text => {
        left = text
      },
    })
  } catch (error) {
    if (!signal.aborted) throw error
    screen.finish()
    terminal.err(left)
    return interrupted
  } finally {
    giveBack()
    screen.finish()
  }
}
