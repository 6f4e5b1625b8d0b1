import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CommandError, InterruptedError } from './command-io.ts'

/** Asks the person at the terminal, and answers with what they typed, without spaces around it. */
export type Ask = (question: string, options?: { readonly isHidden?: boolean }) => Promise<string>

/** What is typed after a hidden question is not shown. Throws CommandError when the person ends the input, InterruptedError at Ctrl-C. */
export const createAsk =
  (input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Ask =>
  async (question, { isHidden = false } = {}) => {
    let isMuted = false
    const shown = new Writable({
      write: (chunk, _encoding, done) => {
        if (!isMuted) output.write(chunk)
        done()
      },
    })
    const lines = createInterface({ input, output: shown, terminal: true })
    try {
      const ended = new Promise<never>((_, reject) => {
        lines.once('SIGINT', () => reject(new InterruptedError('Nothing was written.')))
        lines.once('close', () => reject(new CommandError('Nothing was written.')))
      })
      const answer = lines.question(question)
      isMuted = isHidden
      const text = await Promise.race([answer, ended])
      if (isHidden) output.write('\n')
      return text.trim()
    } finally {
      lines.close()
    }
  }

/** Enter alone agrees. */
export const isYes = (answer: string): boolean => answer === '' || /^(?:y|yes)$/i.test(answer)
