/** Package managers that carry Redis, in the order in which they are looked for, and the commands that bring it. */
export const packageManagers = {
  'apt-get': [
    ['apt-get', '-qq', 'update'],
    ['apt-get', '-qq', 'install', '-y', '--no-install-recommends', 'redis-server'],
  ],
  dnf: [['dnf', '-q', '-y', 'install', 'redis']],
  apk: [['apk', '-q', 'add', 'redis']],
  brew: [['brew', 'install', '--quiet', 'redis']],
} as const satisfies Record<string, readonly (readonly string[])[]>

export type PackageManager = keyof typeof packageManagers

/** How this process may become root: it is, `sudo` asks for no password, or it may not. */
export type RootAccess = 'root' | 'sudo' | 'none'

/** The commands to run in order, or null when this process may not install: Homebrew refuses root, the others need it. */
export function installPlan(manager: PackageManager | null, access: RootAccess): string[][] | null {
  if (manager === null || access === (manager === 'brew' ? 'root' : 'none')) return null
  const prefix = manager !== 'brew' && access === 'sudo' ? ['sudo', '-n'] : []
  return packageManagers[manager].map(command => [...prefix, ...command])
}

/** The line a person would type. */
function installHint(manager: PackageManager | null, platform: NodeJS.Platform): string {
  if (manager === 'brew' || (manager === null && platform === 'darwin')) return 'brew install redis'
  if (manager !== null)
    return packageManagers[manager].map(command => `sudo ${withoutQuiet(command)}`).join(' && ')
  return platform === 'win32' ? 'on Windows, work inside WSL' : "with your system's package manager"
}

const withoutQuiet = (command: readonly string[]) =>
  command.filter(word => !/^(-q+|--quiet)$/.test(word)).join(' ')

/**
 * What to tell a person when no redis-server could be had. `reason` is a clause of its own; `installs` says that this process
 * could install one if it was told to.
 */
export function threeWays(
  reason: string,
  manager: PackageManager | null,
  platform: NodeJS.Platform,
  installs: boolean,
): string {
  const hint = installHint(manager, platform)
  return [
    `Baton needs Redis 7.0 or later, and ${reason}. There are three ways to get one:`,
    '  1. set REDIS_URL to a Redis that runs already, such as redis://127.0.0.1:6379',
    installs
      ? `  2. start with --install-redis (npm start -- --install-redis), or install redis-server: ${hint}`
      : `  2. install redis-server: ${hint}`,
    '  3. docker compose up redis, then set REDIS_URL=redis://:PASSWORD@127.0.0.1:6379, with REDIS_PASSWORD of .env',
  ].join('\n')
}
