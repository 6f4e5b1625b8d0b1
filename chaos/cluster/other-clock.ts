import { readFileSync } from 'node:fs'

// Loaded before a process (`node --import`), it puts the process's clock off by the ms that a file says, and looks into that
// file again and again: so the clock steps while the process runs. Only the clock that a host can set: timers and
// `performance.now()` run on, as they do when a person or NTP sets it.

const file = process.env.CLOCK_OFF_FILE
const lookEveryMs = 100

if (file !== undefined) {
  const Host = Date
  let offMs = 0
  const look = (): void => {
    try {
      offMs = Number(readFileSync(file, 'utf8')) || 0
    } catch {
      // Not there yet, or being written: the clock stays as it is.
    }
  }
  look()
  setInterval(look, lookEveryMs).unref()

  globalThis.Date = new Proxy(Host, {
    construct: (_, args, target) =>
      Reflect.construct(Host, args.length === 0 ? [Host.now() + offMs] : args, target),
    apply: () => new Host(Host.now() + offMs).toString(),
    get: (host, name) => (name === 'now' ? () => host.now() + offMs : Reflect.get(host, name)),
  })
}
