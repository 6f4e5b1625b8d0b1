import { runBaton } from '../../src/cli/program.ts'
import { configFolder } from '../config/config-folder.ts'
import { stillIo } from './command.ts'

export interface Run {
  readonly exitCode: number
  readonly out: string
  readonly err: string
  readonly folder: string
}

/** Runs one command line in a folder of its own that holds these files. */
export const runIn = async (
  files: Readonly<Record<string, string>>,
  commandLine: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Run> => {
  const folder = configFolder(files)
  const out: string[] = []
  const err: string[] = []
  const exitCode = await runBaton(commandLine.split(' ').filter(Boolean), {
    ...stillIo,
    cwd: folder,
    env,
    out: text => out.push(text),
    err: text => err.push(text),
    progress: { write: text => err.push(text.trimEnd()) },
  })
  return { exitCode, out: out.join('\n'), err: err.join('\n'), folder }
}
