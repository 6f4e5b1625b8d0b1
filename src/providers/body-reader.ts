import type { UpstreamAnswer, UpstreamBreak, UpstreamOutcome } from '../domain/upstream.ts'

/** Reads the body of a call while it comes, where it is one to be read so. */
export interface BodyReader {
  /** Whether it takes this body; asked once, when the headers have come. Others are kept whole, for `whole`. */
  begin(status: number, headers: Readonly<Record<string, string>>): boolean
  /** The outcome, once the body says that nothing more will come; else null. */
  take(chunk: Buffer): UpstreamOutcome | null
  /** What a body comes to that has ended. */
  end(): UpstreamOutcome
  /** What a body comes to that is too large; null where it is as that of any other call. */
  tooLarge(): UpstreamOutcome | null
  /** The break, with what is known of the body so far. */
  broken(broken: UpstreamBreak): UpstreamBreak
  /** What an answer comes to that was kept whole. */
  whole(answer: UpstreamAnswer): UpstreamOutcome
}
