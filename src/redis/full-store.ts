import { type PackedScriptName, type RunScript, type ScriptName, whenFull } from './scripts.ts'
import { isFullReply } from './when-full.ts'

/** Nothing new is made: what room is left is for ending what was accepted. */
export class StoreFullError extends Error {
  constructor(cause?: unknown) {
    super('the store is full', { cause })
  }
}

const asFull = (error: unknown): never => {
  throw isFullReply(error) ? new StoreFullError(error) : error
}

/**
 * Runs scripts, but none that makes something while `isFull`: well before Redis itself refuses it. A job whose key names an
 * earlier one is not new. Throws StoreFullError either way.
 */
export const createGuardedRunner = (run: RunScript, isFull: () => boolean): RunScript => {
  const isRefused = (name: ScriptName | PackedScriptName): boolean => whenFull(name) === 'refused' && isFull()
  const packed: RunScript['packed'] = async (name, key, words) => {
    if (!isRefused(name)) return run.packed(name, key, words).catch(asFull)
    if (name === 'create') return run.packed('create-known', key, words)
    throw new StoreFullError()
  }
  const plain = async (name: ScriptName, args: Parameters<RunScript>[1]): Promise<unknown> => {
    if (isRefused(name)) throw new StoreFullError()
    return run(name, args).catch(asFull)
  }
  return Object.assign(plain, { packed })
}
