import { connect } from 'node:net'
import { answersIn, type WireAnswer } from './answers-in.ts'
import type { Exchange } from './draft.ts'

/** A long poll of a second is the slowest there is; a busy machine takes some more. */
const patienceMs = 10_000
/** After which a request that may not be whole is said to have ended. */
const silenceMs = 150

export interface Outcome {
  readonly answers: readonly WireAnswer[]
  /** What is wrong with the connection itself: it has no end in time, or what came is no HTTP. */
  readonly fault: string | null
}

/** Carries an exchange out on a connection of its own. */
export const send = (port: number, { bytes, ending, drafts }: Exchange): Promise<Outcome> =>
  new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const chunks: Buffer[] = []
    const isBodiless = (i: number): boolean => drafts[i]?.method === 'HEAD'
    let answers: readonly WireAnswer[] = []
    let fault: string | null = null
    const giveUp = (why: string): void => {
      fault ??= why
      socket.destroy()
    }
    const timers = [setTimeout(() => giveUp('no end within the time'), patienceMs)]
    socket.on('connect', () => {
      if (ending === 'cut') socket.write(bytes, () => socket.destroy())
      else socket.write(bytes)
      if (ending === 'end') timers.push(setTimeout(() => socket.end(), silenceMs))
    })
    socket.on('data', chunk => {
      chunks.push(chunk)
      try {
        answers = answersIn(Buffer.concat(chunks), isBodiless)
      } catch (error) {
        giveUp((error as Error).message)
      }
      if (ending === 'wait' && answers.length >= drafts.length) socket.destroy()
    })
    socket.on('end', () => socket.end())
    // A server that refuses what is still being written may end the connection under it.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      for (const timer of timers) clearTimeout(timer)
      resolve({ answers, fault })
    })
  })
