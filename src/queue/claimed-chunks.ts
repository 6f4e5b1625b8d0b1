/** Chunks that a worker took: each is reported once all of its jobs are claimed. */
export interface ClaimedChunks {
  /** A chunk of so many doorbells was taken; returns what is called for each of them once its job is claimed. */
  open(chunk: string, doorbells: number): () => void
  /** What is to be reported; they count as reported from here on. */
  take(): readonly string[]
  /** The report did not arrive. */
  putBack(chunks: readonly string[]): void
}

/** A report that finds no other message to travel with goes by itself after this. */
const loneReportMs = 20

export const createClaimedChunks = (report: () => void): ClaimedChunks => {
  let claimed: string[] = []
  let timer: NodeJS.Timeout | null = null

  const add = (chunks: readonly string[]): void => {
    claimed.push(...chunks)
    timer ??= setTimeout(() => {
      timer = null
      if (claimed.length > 0) report()
    }, loneReportMs)
  }

  return {
    open: (chunk, doorbells) => {
      let left = doorbells
      return () => {
        left -= 1
        if (left === 0) add([chunk])
      }
    },
    take: () => {
      const chunks = claimed
      claimed = []
      if (timer) clearTimeout(timer)
      timer = null
      return chunks
    },
    putBack: add,
  }
}
