import type { ApiParts } from '../parts.ts'

/** Gives up a file that was reserved and never made, with its bytes. What cannot be cleared away now, the purger will. */
export const discardFile = async (
  { files, log }: Pick<ApiParts, 'files' | 'log'>,
  id: string,
): Promise<void> => {
  try {
    await files.abandon(id)
  } catch (error) {
    log.debug(
      { event: 'file.purge_deferred', fileId: id, reason: (error as Error).name },
      'file left to the purger',
    )
  }
}
