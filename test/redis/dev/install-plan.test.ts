import { describe, expect, it } from 'vitest'
import {
  installPlan,
  type PackageManager,
  type RootAccess,
  threeWays,
} from '../../../src/redis/dev/install-plan.ts'

const table: [PackageManager | null, RootAccess, string[] | null][] = [
  ['apt-get', 'root', ['apt-get -qq update', 'apt-get -qq install -y --no-install-recommends redis-server']],
  [
    'apt-get',
    'sudo',
    ['sudo -n apt-get -qq update', 'sudo -n apt-get -qq install -y --no-install-recommends redis-server'],
  ],
  ['apt-get', 'none', null],
  ['dnf', 'root', ['dnf -q -y install redis']],
  ['dnf', 'none', null],
  ['apk', 'root', ['apk -q add redis']],
  ['apk', 'sudo', ['sudo -n apk -q add redis']],
  ['brew', 'none', ['brew install --quiet redis']],
  ['brew', 'sudo', ['brew install --quiet redis']],
  ['brew', 'root', null],
  [null, 'root', null],
]

describe('the installation of Redis', () => {
  describe('the plan to install Redis', () => {
    it.each(table)('with %s as %s', (manager, access, commands) => {
      expect(installPlan(manager, access)?.map(command => command.join(' ')) ?? null).toEqual(commands)
    })
  })

  describe('the advice when there is no Redis', () => {
    it.each<[PackageManager | null, NodeJS.Platform, string]>([
      [
        'apt-get',
        'linux',
        'sudo apt-get update && sudo apt-get install -y --no-install-recommends redis-server',
      ],
      ['dnf', 'linux', 'sudo dnf -y install redis'],
      ['apk', 'linux', 'sudo apk add redis'],
      ['brew', 'darwin', 'brew install redis'],
      [null, 'darwin', 'brew install redis'],
      [null, 'linux', "with your system's package manager"],
      [null, 'win32', 'WSL'],
    ])('with %s on %s names all three ways', (manager, platform, command) => {
      const message = threeWays('it is not here', manager, platform, false)
      expect(message).toContain('REDIS_URL')
      expect(message).toContain(command)
      expect(message).toContain('docker compose up redis')
    })
  })
})
