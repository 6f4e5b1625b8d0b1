import { type Command, Redis, type RedisOptions } from 'ioredis'

/** A command is given up at the eighth look after it was sent, or at the ninth: up to an eighth late. */
const looks = 8

/**
 * A connection that gives commands up as ioredis's `commandTimeout` does, but counts the time in which this process ran. Where a
 * machine stands still for longer than that, or one thing keeps the process busy, ioredis's timers fire before the answers are read
 * that lie there, and everything under way fails although Redis was never late. A pause between two looks counts as one look, however
 * long it was, and answers are read between them.
 */
export class ImpatientRedis extends Redis {
  /** What was sent since each of the last looks, the latest first. */
  readonly #sent: Command[][] = [[]]
  readonly #lookEveryMs: number
  #looking: NodeJS.Timeout | null = null

  /** Rejects commands after so many ms with "Command timed out", as ioredis has it. */
  constructor(options: RedisOptions, giveUpMs: number) {
    super({ ...options, replyMapping: 'legacy' })
    this.#lookEveryMs = giveUpMs / looks
  }

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    this.#sent[0]!.push(command)
    this.#looking ??= setInterval(() => this.#look(), this.#lookEveryMs).unref()
    return super.sendCommand(command, stream)
  }

  #look(): void {
    const open = this.#sent.map(commands => commands.filter(({ isResolved }) => !isResolved))
    const late = open.length > looks ? open.pop()! : []
    this.#sent.splice(0, Number.POSITIVE_INFINITY, [], ...open)
    // One that failed long ago is rejected once more, which nobody sees.
    for (const command of late) command.reject(new Error('Command timed out'))
    if (open.some(commands => commands.length > 0)) return
    clearInterval(this.#looking!)
    this.#looking = null
  }
}
