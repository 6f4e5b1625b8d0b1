import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { changesBetween } from '../../src/config/changes.ts'
import { readConfigFile } from '../../src/config/file.ts'
import { judgedConfig } from '../../src/config/load.ts'
import { createSecretFiles, secretFileSettings } from '../../src/config/secret-files.ts'
import { secretsOf } from '../../src/config/secrets.ts'
import { configFolder, refusalOf, withProvider } from './config-folder.ts'

const secret = `whsec_${Buffer.alloc(32, 'a').toString('base64')}`
const account = '{"type": "service_account", "client_email": "a@b", "private_key": "PEM"}'
const role = 's3: {bucket: b, access_key_id_file: F/id, secret_access_key_file: F/secret}'

/** A config in a folder with files of secrets; F stands for the folder. */
const folderWith = (text: string, files: Readonly<Record<string, string>>) => {
  const folder = configFolder({ 'baton.yaml': '', ...files })
  writeFileSync(join(folder, 'baton.yaml'), withProvider(text).replaceAll('F/', `${folder}/`))
  return folder
}

/** Reads such a config as a process does that goes on. */
const open = (text: string, files: Readonly<Record<string, string>>) => {
  const folder = folderWith(text, files)
  const kept: string[] = []
  const memory = createSecretFiles((path, problem) => kept.push(`${path.replace(folder, 'F')}: ${problem}`))
  const source = readConfigFile({ cwd: folder, env: {} })
  return { folder, kept, memory, read: () => judgedConfig(source, undefined, memory) }
}

describe('secrets in mounted files', () => {
  test('stand for the settings that they are named for, without their line ends', () => {
    const { read } = open(
      `
providers:
  one: {type: openai, api_key_file: F/key}
  two: {type: openai, api_key_files: [F/key, F/id]}
  aws: {type: bedrock, region: r, access_key_id_file: F/id, secret_access_key_file: F/secret, session_token_file: F/key}
  entra: {type: azure, resource: r, tenant_id: t, client_id: c, client_secret_file: F/secret}
  gcp: {type: vertex, location: l, credentials_file: F/account}
api_keys: [{key_file: F/key, tenant: t}]
webhooks: {secret_file: F/webhooks}
storage: {${role}}
redis: {sentinel: {name: m, nodes: ["h:1"], password_file: F/secret, sentinel_password_file: F/id}}`,
      { key: 'sk-file\n', id: 'ID\r\n', secret: 'SECRET', webhooks: `${secret}\n`, account },
    )
    const config = read()
    const { one, two, aws, entra, gcp } = config.providers
    expect(one).toMatchObject({ api_key: 'sk-file' })
    expect(two).toMatchObject({ api_keys: ['sk-file', 'ID'] })
    expect(aws).toMatchObject({ access_key_id: 'ID', secret_access_key: 'SECRET', session_token: 'sk-file' })
    expect(entra).toMatchObject({ client_secret: 'SECRET' })
    expect(gcp).toMatchObject({ credentials: account })
    expect(config.api_keys).toMatchObject([{ key: 'sk-file', tenant: 't' }])
    expect(config.webhooks.secret).toBe(secret)
    expect(config.storage.s3).toMatchObject({ access_key_id: 'ID', secret_access_key: 'SECRET' })
    expect(config.redis.sentinel).toMatchObject({ password: 'SECRET', sentinel_password: 'ID' })
    expect(secretsOf(config)).toEqual(expect.arrayContaining(['sk-file', 'SECRET', 'ID', secret, 'PEM']))
    expect(secretsOf(config).filter(text => text.includes('/'))).toEqual([])
  })

  test('the two other places of Redis have files as well', () => {
    const files = { url: 'redis://:pw@h:1', pw: 'pw' }
    expect(open('redis: {url_file: F/url}', files).read().redis.url).toBe(files.url)
    const cluster = open('redis: {cluster: {nodes: ["h:1"], password_file: F/pw}}', files).read()
    expect(cluster.redis.cluster).toMatchObject({ password: 'pw' })
    expect(Object.keys(secretFileSettings)).toHaveLength(15)
  })

  const route = 'models: {m: {provider: p}}'
  test.each([
    ['that is not there', 'F/none', 'there is no such file'],
    ['that is empty', 'F/empty', 'the file is empty'],
    ['that is a folder', 'F/', 'this is a directory, not a file'],
  ])('a file %s is a fault with a sentence', (_, file, problem) => {
    const folder = folderWith(`providers: {p: {type: openai, api_key_file: ${file}}}\n${route}`, {
      empty: '\n',
    })
    expect(refusalOf({ cwd: folder, env: {} }).faults).toMatchObject([
      {
        code: 'missing_key',
        path: 'providers.p.api_key_file',
        line: 1,
        message: expect.stringMatching(problem),
      },
    ])
    const webhooks = folderWith(`webhooks: {secret_file: ${file}}`, { empty: '' })
    expect(refusalOf({ cwd: webhooks, env: {} }).faults).toMatchObject([
      { code: 'unreadable', path: 'webhooks.secret_file', message: expect.stringMatching(problem) },
    ])
  })

  test('a secret is given once', () => {
    const folder = folderWith(`providers: {p: {type: openai, api_key: k, api_key_file: F/key}}\n${route}`, {
      key: 'SECRET',
    })
    expect(refusalOf({ cwd: folder, env: {} }).faults).toMatchObject([
      {
        code: 'relation',
        path: 'providers.p.api_key_file',
        message: 'api_key and api_key_file are both set; keep one',
      },
    ])
  })

  test('what a file says later is read anew; one that goes away keeps what it said, and is told of once', () => {
    const { folder, kept, memory, read } = open(`providers: {p: {type: openai, api_key_file: F/key}}`, {
      key: 'first',
    })
    const key = join(folder, 'key')
    const keyNow = () => read().providers.p!.api_key
    expect(keyNow()).toBe('first')
    expect(memory.paths).toEqual([key])
    writeFileSync(key, 'second\n')
    expect(keyNow()).toBe('second')
    rmSync(key)
    expect([keyNow(), keyNow()]).toEqual(['second', 'second'])
    expect(kept).toEqual(['F/key: there is no such file'])
    writeFileSync(key, '')
    expect(keyNow()).toBe('second')
    expect(kept).toHaveLength(2)
    writeFileSync(key, 'third')
    expect(keyNow()).toBe('third')
  })

  test('a new password, or new keys of the bucket, need no restart, and another place does', () => {
    const text = `redis: {url_file: F/url}\nstorage: {${role}}`
    const { folder, read } = open(text, { url: 'redis://:old@h:1/0', id: 'ID', secret: 'old' })
    const before = read()
    writeFileSync(join(folder, 'url'), 'redis://:new@h:1/0')
    writeFileSync(join(folder, 'secret'), 'new')
    const after = read()
    expect(changesBetween(before, after)).toMatchObject({ settings: ['redis', 'storage'], needs_restart: [] })
    writeFileSync(join(folder, 'url'), 'redis://:new@elsewhere:1/0')
    expect(changesBetween(after, read())).toMatchObject({ settings: [], needs_restart: ['redis.url'] })
  })
})
