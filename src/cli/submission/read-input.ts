import { createWriteStream, openAsBlob } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { CommandError } from '../command-io.ts'
import { openInput } from '../input-file.ts'
import type { Session } from '../session.ts'

export interface Input extends AsyncDisposable {
  /** As a person calls it. */
  readonly name: string
  /** Its name at the API. */
  readonly filename: string
  readonly content: Blob
}

/** What stands for standard input on a command line. */
export const standardStream = '-'

/**
 * The file, or what comes on standard input, which is kept in a temporary file until it is disposed of: it is read
 * twice, once to check and cut it, once to send it.
 *
 * @throws CommandError when it cannot be read, or is empty.
 */
export const readInput = async (session: Session, name: string): Promise<Input> => {
  if (name !== standardStream) {
    const path = session.pathOf(name)
    const content = await openInput(path, name)
    return { name, filename: path, content, [Symbol.asyncDispose]: async () => {} }
  }
  const folder = await mkdtemp(join(tmpdir(), 'baton-input-'))
  const dispose = () => rm(folder, { recursive: true, force: true })
  try {
    if (session.input.isTTY) session.screen.say('reading requests, one a line; Ctrl-D ends them')
    const path = join(folder, 'stdin.jsonl')
    await pipeline(session.input, createWriteStream(path), { signal: session.signal })
    const content = await openAsBlob(path)
    if (content.size === 0) throw new CommandError('standard input is empty: write one request to a line')
    return { name: 'standard input', filename: path, content, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}
