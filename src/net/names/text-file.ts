import { readFileSync, statSync } from 'node:fs'

/** A file may be looked at as often as one likes; whether it has changed is asked about once in this time. */
const lookAgainMs = 2_000

/**
 * A small file of the system, read again when it has changed, by `parse`; what stands in none when there is
 * no such file. It is read where it is asked for: the files are some lines long, and a name is not to wait
 * for a thread behind others.
 */
export const watchTextFile = <Parsed>(
  path: string,
  parse: (text: string) => Parsed,
  now: () => number = () => performance.now(),
): (() => Parsed) => {
  let version = ''
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let parsed = parse('')

  const versionOf = (): string => {
    const found = statSync(path, { throwIfNoEntry: false, bigint: true })
    return found === undefined ? '' : `${found.ino}.${found.mtimeNs}.${found.size}`
  }
  const look = (): void => {
    try {
      const seen = versionOf()
      if (seen === version) return
      parsed = parse(seen === '' ? '' : readFileSync(path, 'utf8'))
      version = seen
    } catch {
      // A file that cannot be read now keeps its last content.
    }
  }

  return () => {
    if (now() - lookedAtMs >= lookAgainMs) {
      lookedAtMs = now()
      look()
    }
    return parsed
  }
}
