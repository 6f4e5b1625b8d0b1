/** Where the events of a call go while it runs: to the readers of its job. */
export interface StreamSink {
  /**
   * Takes whole events, in the format of the job's endpoint. The first text must have content: with it the attempt is
   * committed, and no other answers the job.
   */
  write(text: string): void
}
