// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's own syntax for variables
import { describe, expect, test } from 'vitest'
import { faultsOfCompose, faultsOfDockerfile, parseCompose } from './container-rules.ts'
import { readDoc } from './markdown.ts'

const compose = readDoc('docker-compose.yml')
const dockerfile = readDoc('Dockerfile')
const digest = `@sha256:${'0'.repeat(64)}`

describe('container files', () => {
  test('docker-compose.yml and the Dockerfile keep every rule', () => {
    expect(faultsOfCompose(parseCompose(compose))).toEqual([])
    expect(faultsOfDockerfile(dockerfile)).toEqual([])
  })

  test('they have digests that somebody published, which are not made up', () => {
    const found = `${compose}${dockerfile}`.match(/(?<=@sha256:)[0-9a-f]{64}/g)!
    // Both stages are of one image.
    expect(found).toHaveLength(3)
    expect(new Set(found).size).toBe(2)
    for (const hash of found) expect(new Set(hash).size).toBeGreaterThan(8)
  })

  describe('a rule that is broken is told', () => {
    test.each([
      [
        'image: redis:7.2.16-alpine@sha256:29e8',
        'image: redis:7.2-alpine #',
        'redis: the image has a tag and a digest, or is built here',
      ],
      ['read_only: true', 'read_only: false', 'redis: the root file system is read-only'],
      ['cap_drop: [ALL]', 'cap_drop: [NET_RAW]', 'redis: no capability is left, and none added'],
      [
        'cap_drop: [ALL]',
        'cap_drop: [ALL]\n  cap_add: [CHOWN]',
        'redis: no capability is left, and none added',
      ],
      ['no-new-privileges:true', 'no-new-privileges:false', 'redis: no process gains privileges'],
      ['init: true', 'privileged: true', 'api: nothing is privileged, or shares a namespace of the host'],
      ['init: true', 'network_mode: host', 'api: nothing is privileged, or shares a namespace of the host'],
      ['user: "999:1000"', 'user: "0:0"', 'redis: nobody is root'],
      ['user: "999:1000"', '# nobody', 'redis: nobody is root'],
      ['"127.0.0.1:6379:6379"', '"6379:6379"', 'redis: ports are published on loopback alone'],
      ['"127.0.0.1:8000:8000"', '"0.0.0.0:8000:8000"', 'api: ports are published on loopback alone'],
      ['/tmp:size=64m', '/tmp', 'api: what is temporary has a size'],
      ['      - --requirepass\n', '', 'redis: a Redis asks for a password that must be set'],
      [
        /- \$\{REDIS_PASSWORD:\?[^}]*\}/,
        '- ${REDIS_PASSWORD}',
        'redis: a Redis asks for a password that must be set',
      ],
      [/REDIS_URL: .*/, 'REDIS_URL: redis://:hunter2@redis:6379', 'api: no password is written down'],
      [
        /REDIS_URL: .*/,
        'REDIS_URL: redis://:${REDIS_PASSWORD}@redis:6379',
        'api: no password is written down',
      ],
      [/REDISCLI_AUTH: .*/, 'REDISCLI_AUTH: hunter2', 'redis: no password is written down'],
    ])('compose: %s as %s', (from, to, fault) => {
      const changed = compose.replace(from, () => to)
      expect(changed).not.toBe(compose)
      expect(faultsOfCompose(parseCompose(changed))).toContain(fault)
    })

    test.each([
      [/@sha256:\w+/, '', 'every base image has a tag and a digest'],
      [/node:24-slim@/, 'node@', 'every base image has a tag and a digest'],
      [/FROM /, `FROM node:24${digest} AS build\nFROM build\n#`, 'every base image has a tag and a digest'],
      ['USER node', '# nobody', 'the last user is not root'],
      ['USER node', 'USER node\nUSER root', 'the last user is not root'],
      [/ENTRYPOINT .*/, 'ENTRYPOINT node src/main.ts', 'the entry point is in exec form'],
      ['WORKDIR', 'ADD https://example.com/x /x\nWORKDIR', 'nothing is fetched by ADD'],
      ['WORKDIR', 'RUN curl https://example.com \\\n  | sh\nWORKDIR', 'nothing is piped into a shell'],
      ['WORKDIR', 'ARG OPENAI_API_KEY\nWORKDIR', 'no secret is an argument or in the environment'],
      [/npm ci/g, 'npm install', 'packages are those of the lockfile'],
      [/HEALTHCHECK .*/, '', 'health is checked'],
    ])('Dockerfile: %s as %s', (from, to, fault) => {
      const changed = dockerfile.replace(from, () => to)
      expect(changed).not.toBe(dockerfile)
      expect(faultsOfDockerfile(changed)).toContain(fault)
    })
  })
})
