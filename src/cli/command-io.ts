import type { Readable, Writable } from 'node:stream'
import { writeJson } from '../json/json-text.ts'
import type { Paint } from '../terminal/paint.ts'
import type { Output } from '../terminal/screen.ts'

/** A command cannot do what it was asked. Shown as its message alone, without a stack. */
export class CommandError extends Error {
  readonly exitCode: number = 1
}

/** What a shell says of a command that Ctrl-C ended. */
export const interrupted = 130

/** The person pressed Ctrl-C. */
export class InterruptedError extends CommandError {
  override readonly exitCode = interrupted
}

/** A command line that can mean nothing, whatever the world is like. */
export class CommandLineError extends CommandError {
  override readonly exitCode = 2
}

/** What a command needs from the process that runs it. */
export interface CommandIo {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes one line, or several, to standard output. */
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Standard input, and standard output as it is: for what a command passes on byte by byte. */
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable & Pick<Output, 'isTTY'>
  /** Colours, where standard output is a terminal that shows them. */
  readonly paint: Paint
  /** Where progress goes: standard error, so that standard output has the result alone. */
  readonly progress: Output
  /** Takes over the first Ctrl-C; the second ends the process. What is answered gives it back. */
  readonly onInterrupt: (handler: () => void) => () => void
}

export type Out = CommandIo['out']

export const renderJson = (value: unknown): string => writeJson(value, 2)
