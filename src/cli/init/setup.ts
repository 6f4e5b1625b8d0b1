import type { Surroundings } from '../../providers/create-provider.ts'
import type { Ask } from '../ask.ts'
import type { CommandIo } from '../command-io.ts'
import type { InitOptions } from './options.ts'

/** What is known while the questions are asked. */
export interface Setup {
  readonly options: InitOptions
  readonly terminal: CommandIo
  /** Null where nobody is to be asked. */
  readonly ask: Ask | null
  /** What the environment and the folder's `.env` say. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The proxy, and the environment, which tells of a cloud's identity. */
  readonly around: Surroundings
}
