import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

/**
 * Runs the command, and stops it when stdin ends: the parent holds the other end, and the kernel closes that however
 * the parent dies. The reader is a shell of its own, so it works even when the waiting shell is killed. stdin moves to
 * fd 4 because POSIX gives background commands /dev/null there; fd 3 tells the parent the command's process id.
 */
const script = `
exec 4<&0 </dev/null
"$@" 3>&- 4<&- &
server=$!
echo "$server" >&3
exec 3>&-
( while read -r _; do :; done <&4; kill -TERM "$server" ) &
watcher=$!
exec 4<&-
wait "$server"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
`

/** A command that ends when this process does, whichever way. */
export interface GuardedProcess {
  /** The command's own process id, not the watchdog's. */
  readonly pid: number
  /** Resolves when the command is gone. */
  readonly ended: Promise<void>
  hasEnded(): boolean
  /** Asks the command to end (SIGTERM). */
  release(): void
  /** Ends it now (SIGKILL). */
  kill(): void
}

/**
 * Starts `argv` under a watchdog, in a session of its own: Ctrl-C in a terminal signals the whole process group, and
 * the command must outlive its parent's drain. Both outputs are appended to the file at `logPath`.
 */
export async function spawnGuarded(argv: readonly string[], logPath: string): Promise<GuardedProcess> {
  const child = spawnShell(argv, logPath)
  await once(child, 'spawn')
  const ended = once(child, 'exit').then(() => {})
  const pid = Number(await text(child.stdio[3] as Readable))
  // Signals to process 0 would go to our own group.
  if (!(pid > 0)) throw new Error('the watchdog of redis-server did not start')
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid,
    ended,
    hasEnded,
    release: () => child.stdin?.destroy(),
    kill: () => {
      if (!hasEnded()) process.kill(pid, 'SIGKILL')
    },
  }
}

function spawnShell(argv: readonly string[], logPath: string): ChildProcess {
  const output = openSync(logPath, 'a', 0o600)
  try {
    return spawn('/bin/sh', ['-c', script, 'redis-watchdog', ...argv], {
      detached: true,
      stdio: ['pipe', output, output, 'pipe'],
    })
  } finally {
    closeSync(output)
  }
}
