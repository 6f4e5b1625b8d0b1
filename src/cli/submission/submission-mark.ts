import { randomBytes } from 'node:crypto'
import { CommandError, CommandLineError } from '../command-io.ts'

/** Metadata of a batch that one part of a file became. */
const [idKey, partKey] = ['baton_submission', 'baton_part'] as const
export const marks: readonly string[] = [idKey, partKey]

const form = /^sub_([0-9a-f]{16})[0-9a-f]{12}$/

export const isSubmissionId = (text: string): boolean => form.test(text)

/** Names what one command makes of one input: it begins with the digest of that, so that another is told apart. */
export const newSubmissionId = (digest: string): string =>
  `sub_${digest.slice(0, 16)}${randomBytes(6).toString('hex')}`

/** Throws CommandError where it is no such id, or that of another input. */
export const checkSubmissionId = (id: string, digest: string, name: string): void => {
  const [, begun] = form.exec(id) ?? []
  if (begun === undefined) throw new CommandLineError(`${id} is no submission: its id begins with sub_`)
  if (begun !== digest.slice(0, 16))
    throw new CommandError(`${id} was begun with other content than ${name} has now`)
}

/** Which part of how many a batch is; both from 1. */
export interface PartMark {
  readonly part: number
  readonly of: number
}

export const markOf = (submission: string, { part, of }: PartMark): Record<string, string> => ({
  [idKey]: submission,
  [partKey]: `${part}/${of}`,
})

/** Null for a batch of no such submission. */
export const readMark = (
  metadata: Readonly<Record<string, string>> | null,
  submission: string,
): PartMark | null => {
  const [part, of] = metadata?.[idKey] === submission ? (metadata[partKey] ?? '').split('/').map(Number) : []
  return part !== undefined && of !== undefined && part >= 1 && part <= of ? { part, of } : null
}

/** The submission that a batch is a part of; null for one that stands alone. */
export const readSubmissionOf = (metadata: Readonly<Record<string, string>> | null): string | null =>
  metadata?.[idKey] ?? null
