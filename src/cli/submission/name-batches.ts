import type { BatchClient } from '../batch-client.ts'
import { CommandError } from '../command-io.ts'
import type { Followed } from '../follow-batches.ts'
import { findSubmission } from './find-submission.ts'
import { isSubmissionId } from './submission-mark.ts'

/**
 * The batches that a command line names: by their ids, or all of a submission, in the order of their parts.
 *
 * @throws CommandError where there is no batch of such a submission; with `wholly` also where some are missing.
 */
export const nameBatches = async (
  batches: BatchClient,
  words: readonly string[],
  { wholly }: { readonly wholly: boolean },
): Promise<Followed> => {
  const ids: string[] = []
  for (const word of words) {
    if (!isSubmissionId(word)) {
      ids.push(word)
      continue
    }
    const found = await findSubmission(batches, word)
    const size = found.batches.size
    if (size === 0) throw new CommandError(`there is no batch of ${word}`)
    if (wholly && size !== found.of)
      throw new CommandError(
        `only ${size} of ${found.of} batches of ${word} were created: \`submit\` the file with --resume ${word}`,
      )
    ids.push(...[...found.batches].toSorted(([a], [b]) => a - b).map(([, { id }]) => id))
  }
  return { ids, name: words[0]!, words: words.join(' ') }
}
