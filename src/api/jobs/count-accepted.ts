import type { SubmitJob } from '../../dispatch/submit.ts'

/** Submits as before, and counts the jobs that were made. */
export const countAccepted = (submit: SubmitJob): { readonly submit: SubmitJob; count(): number } => {
  let count = 0
  return {
    submit: async submission => {
      const submitted = await submit(submission)
      if (!submitted.replayed) count += 1
      return submitted
    },
    count: () => count,
  }
}
