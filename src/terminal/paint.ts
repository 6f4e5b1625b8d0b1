import { styleText } from 'node:util'

const styles = { good: 'green', bad: 'red', warn: 'yellow', quiet: 'dim', head: 'bold' } as const

/** What a text says about what it names. */
export type Tone = keyof typeof styles

/** A text in the colour of its tone; as it is where nobody sees colours. */
export type Paint = (tone: Tone | null, text: string) => string

export const plain: Paint = (_, text) => text

/** Whether somebody sees them is asked once, of the stream that is written to. */
export const inColour: Paint = (tone, text) =>
  tone === null ? text : styleText(styles[tone], text, { validateStream: false })

const tones: Readonly<Record<string, Tone>> = {
  ...{ healthy: 'good', succeeded: 'good', completed: 'good' },
  ...{ recovering: 'warn', probing: 'warn', slow: 'warn', throttled: 'warn', parked: 'warn', paused: 'warn' },
  ...{ cancelled: 'warn', cancelling: 'warn', expired: 'bad', failed: 'bad', down: 'bad', stopped: 'bad' },
}

/** A status in its colour; those that need nobody's attention have none. */
export const paintStatus = (paint: Paint, status: string): string =>
  paint(tones[/^[a-z_]*/.exec(status)![0]] ?? null, status)
