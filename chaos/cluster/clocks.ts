import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The clocks of the hosts that the processes run on, each on one of its own. */
export interface Clocks {
  /** What a process is started with. */
  readonly nodeOptions: readonly string[]
  envOf(member: string): Readonly<Record<string, string>>
  /** Sets a clock by so much from where it stood at the start, while its process runs. */
  step(member: string, byMs: number): Promise<void>
}

const preload = new URL('other-clock.ts', import.meta.url).href

/** `off`: by how many ms each is off at the start. */
export const openClocks = async (dir: string, off: ReadonlyMap<string, number>): Promise<Clocks> => {
  const fileOf = (member: string): string => join(dir, `${member}.clock`)
  const step = (member: string, byMs: number): Promise<void> =>
    writeFile(fileOf(member), String((off.get(member) ?? 0) + byMs))
  await Promise.all([...off.keys()].map(member => step(member, 0)))
  return {
    nodeOptions: ['--import', preload],
    envOf: member => ({ CLOCK_OFF_FILE: fileOf(member) }),
    step,
  }
}
