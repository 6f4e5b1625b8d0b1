import type { RunScript, Script } from './scripts.ts'

/** Nothing new is made: the memory that is left is for ending what was accepted. */
export class StoreFullError extends Error {
  constructor(cause?: unknown) {
    super('the store is full', { cause })
  }
}

/** Whether Redis refused a command because it is full. */
export const isFullReply = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ReplyError' && /\bOOM\b/.test(error.message)

const asFull = (error: unknown): never => {
  throw isFullReply(error) ? new StoreFullError(error) : error
}

/**
 * Runs scripts, but none that makes something while `isFull`: well before Redis itself refuses it. A job whose key names an
 * earlier one is not new. Throws StoreFullError either way.
 */
export const createGuardedRunner = (run: RunScript, isFull: () => boolean): RunScript => {
  const isRefused = ({ whenFull }: Script): boolean => whenFull === 'refused' && isFull()
  const packed: RunScript['packed'] = async (script, key, message) => {
    if (!isRefused(script)) return run.packed(script, key, message).catch(asFull)
    if (script.whenStoreFull) return run.packed(script.whenStoreFull, key, message)
    throw new StoreFullError()
  }
  const plain = async (script: Script, args: Parameters<RunScript>[1]): Promise<unknown> => {
    if (isRefused(script)) throw new StoreFullError()
    return run(script, args).catch(asFull)
  }
  return Object.assign(plain, { packed })
}
