import { openAsBlob } from 'node:fs'
import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CommandError } from './command-io.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'this is a directory',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
}

/** The file, to be read as it is sent. Throws CommandError when it cannot be, or is empty. */
export const openInput = async (path: string, name: string): Promise<Blob> => {
  const refuse = (code: string | undefined) =>
    new CommandError(`${name}: ${reasons[code ?? ''] ?? `cannot be read (${code})`}`)
  try {
    const facts = await stat(path)
    if (!facts.isFile()) throw refuse(facts.isDirectory() ? 'EISDIR' : 'not a regular file')
    await access(path, constants.R_OK)
    if (facts.size === 0) throw new CommandError(`${name}: the file is empty, write one request to a line`)
    return await openAsBlob(path)
  } catch (error) {
    throw error instanceof CommandError ? error : refuse((error as NodeJS.ErrnoException).code)
  }
}

/** Throws CommandError when no file can be made there: better before a batch is paid for than after. */
export const checkWritable = async (path: string, name: string): Promise<void> => {
  try {
    await access(dirname(path), constants.W_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such folder' : `this user may not write there (${code})`
    throw new CommandError(`${name}: ${why}`)
  }
}
