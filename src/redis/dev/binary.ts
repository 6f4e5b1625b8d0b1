import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import {
  installPlan,
  type PackageManager,
  packageManagers,
  type RootAccess,
  threeWays,
} from './install-plan.ts'

/** The machine as this file sees it. */
export interface System {
  readonly platform: NodeJS.Platform
  readonly isRoot: boolean
  /** The path of the first of these commands that the PATH has, or null. */
  find(...names: string[]): Promise<string | null>
  /** Runs to the end and gives the exit code; output goes to stderr when `shown`, else nowhere. */
  run(argv: readonly string[], shown: boolean): Promise<number>
  /** One line of progress for a person. */
  say(line: string): void
}

/** Whether these commands may be run, which change the machine. */
export type Consent = (commands: readonly (readonly string[])[]) => Promise<boolean>

/**
 * A path to redis-server (or valkey-server). Where the PATH has none, the package manager can be used without a password, and
 * `consent` is given, it is installed; otherwise throws an error that says the three ways to get one.
 */
export async function obtainRedisServer(
  system: System,
  consent: Consent = () => Promise.resolve(true),
): Promise<string> {
  const found = await findRedisServer(system)
  if (found !== null) return found
  const manager = await findPackageManager(system)
  const plan = installPlan(manager, await rootAccess(system))
  const giveUp = (reason: string) => new Error(threeWays(reason, manager, system.platform, plan !== null))
  const isMissing = 'there is no redis-server on the PATH'
  if (plan === null || !(await consent(plan))) throw giveUp(isMissing)
  for (const command of plan) {
    system.say(`no redis-server on the PATH; running: ${command.join(' ')}`)
    const code = await system.run(command, true)
    if (code !== 0) throw giveUp(`\`${command.join(' ')}\` failed with exit code ${code}`)
  }
  const installed = await findRedisServer(system)
  if (installed === null) throw giveUp(`${manager} installed no redis-server on the PATH`)
  system.say(`installed ${installed}`)
  return installed
}

const findRedisServer = (system: System) => system.find('redis-server', 'valkey-server')

async function findPackageManager(system: System): Promise<PackageManager | null> {
  for (const manager of Object.keys(packageManagers) as PackageManager[]) {
    if ((await system.find(manager)) !== null) return manager
  }
  return null
}

async function rootAccess(system: System): Promise<RootAccess> {
  if (system.isRoot) return 'root'
  if ((await system.find('sudo')) === null) return 'none'
  return (await system.run(['sudo', '-n', 'true'], false)) === 0 ? 'sudo' : 'none'
}

/** This machine. `path` replaces the PATH that commands are looked up on, for tests. */
export function createSystem(
  given: { path?: string; isRoot?: boolean; say?: (line: string) => void } = {},
): System {
  const env = given.path === undefined ? {} : { env: { PATH: given.path } }
  return {
    platform: process.platform,
    isRoot: given.isRoot ?? process.getuid?.() === 0,
    async find(...names) {
      // The shell's own lookup: it knows the PATH rules, and `command -v` prints nothing but the path.
      const script = names.map(name => `command -v ${name}`).join(' || ')
      const child = spawn('/bin/sh', ['-c', script], { ...env, stdio: ['ignore', 'pipe', 'ignore'] })
      child.on('error', () => {}) // no /bin/sh: nothing is found
      return (await text(child.stdout)).trim() || null
    },
    run: ([command, ...args], shown) =>
      new Promise(resolve => {
        // stdout stays free for a command's own output, which may be piped on.
        const output = shown ? 2 : 'ignore'
        spawn(command!, args, { ...env, stdio: ['ignore', output, output] })
          .once('error', () => resolve(127))
          .once('exit', code => resolve(code ?? 1))
      }),
    say: given.say ?? (line => process.stderr.write(`baton: ${line}\n`)),
  }
}
