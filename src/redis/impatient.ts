import { type Command, Redis, type RedisOptions } from 'ioredis'

/** In the time that a command has; it is given up by an eighth too late at most. */
const looks = 8

/** Commands that were sent between two looks. */
interface Sent {
  /** The time of the second one, in ms in which this process ran. */
  readonly byMs: number
  readonly commands: readonly Command[]
}

/**
 * A connection that gives commands up as ioredis's `commandTimeout` does, but counts the time in which this process ran. Where a
 * machine stands still for longer than that, or one thing keeps the process busy, ioredis's timers fire before the answers are read
 * that lie there, and everything under way fails although Redis was never late. Between two looks answers are read, and however long
 * the pause was, it counts as half of the time at most.
 */
export class ImpatientRedis extends Redis {
  readonly #giveUpMs: number
  #now: Command[] = []
  #before: readonly Sent[] = []
  #looking: NodeJS.Timeout | null = null
  #ranMs = 0
  #lookedAtMs = 0

  /** Rejects commands after so many ms with "Command timed out", as ioredis has it. */
  constructor(options: RedisOptions, giveUpMs: number) {
    super({ ...options, replyMapping: 'legacy' })
    this.#giveUpMs = giveUpMs
  }

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    this.#now.push(command)
    if (this.#looking === null) {
      this.#lookedAtMs = performance.now()
      this.#looking = setInterval(() => this.#look(), this.#giveUpMs / looks).unref()
    }
    return super.sendCommand(command, stream)
  }

  #look(): void {
    const atMs = performance.now()
    this.#ranMs += Math.min(atMs - this.#lookedAtMs, this.#giveUpMs / 2)
    this.#lookedAtMs = atMs
    const open = [...this.#before, { byMs: this.#ranMs, commands: this.#now }]
      .map(({ byMs, commands }) => ({ byMs, commands: commands.filter(({ isResolved }) => !isResolved) }))
      .filter(({ commands }) => commands.length > 0)
    const isLate = ({ byMs }: Sent): boolean => this.#ranMs - byMs >= this.#giveUpMs
    this.#now = []
    this.#before = open.filter(sent => !isLate(sent))
    // One that failed long ago is rejected once more, which nobody sees.
    for (const { commands } of open.filter(isLate))
      for (const command of commands) command.reject(new Error('Command timed out'))
    if (this.#before.length > 0) return
    clearInterval(this.#looking!)
    this.#looking = null
  }
}
