import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { configFolder } from '../config/config-folder.ts'
import { metadata } from '../contract/providers/credentials/fake-google.ts'
import { surroundedBy } from '../contract/providers/credentials/surroundings.ts'
import { openUpstream } from '../contract/providers/open-provider.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { bedrock } from '../contract/providers/vendors/bedrock.ts'
import { callable, controlPlane } from '../contract/providers/vendors/bedrock-control.ts'
import { runHere } from './command.ts'

const initIn = async (words: readonly string[], env: Record<string, string> = {}) => {
  const folder = configFolder({})
  const ended = await runHere(['init', '--yes', ...words], { cwd: folder, env })
  const written = (): ReturnType<typeof loadConfig> => loadConfig({ cwd: folder, env: {} })
  return { ...ended, written, isWritten: existsSync(join(folder, 'baton.yaml')) }
}

/** What Bedrock says of a model that nobody has, to whoever it knows. */
const { status, body, headers } = bedrock.errors['unknown model']
const knownToBedrock = answering(status, body, headers)

describe('baton init for a cloud', () => {
  test('azure: by its key, and the name of a deployment', async () => {
    const api = await openUpstream(answering(200, { data: [] }))
    const words = ['--provider', 'azure', '--base-url', api.url, '--model', 'my-deployment']
    const { code, stdout, stderr, written } = await initIn(words, { AZURE_OPENAI_API_KEY: 'az-key' })
    expect([code, stderr, stdout]).toEqual([0, '', expect.stringContaining('azure: the key is good')])
    for (const { headers } of api.arrivals) expect(headers['api-key']).toBe('az-key')
    expect(written().providers.azure).toMatchObject({ base_url: api.url, api_key: 'az-key' })
    expect(written().models['my-deployment']).toMatchObject({ provider: 'azure' })
  })

  test('azure: by an identity of Entra ID, and its resource by the variable of Azure’s own libraries', async () => {
    const api = await openUpstream(answering(200, { data: [] }))
    const entra = await openUpstream(answering(200, { access_token: 'eyJ.token', expires_in: 3600 }))
    const { stdout, stderr, written } = await initIn(['--provider', 'azure', '--model', 'd'], {
      ...{ AZURE_OPENAI_ENDPOINT: api.url, AZURE_AUTHORITY_HOST: entra.url },
      ...{ AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_CLIENT_SECRET: 's' },
    })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/azure: the identity \(.+\) is good/)
    expect(api.arrivals[0]!.headers.authorization).toBe('Bearer eyJ.token')
    expect(written().providers.azure).toMatchObject({ base_url: api.url })
    expect(written().providers.azure!.api_key).toBeUndefined()
  })

  test('azure: a deployment of those that the resource lists', async () => {
    const deployment = { id: 'chat-1', model: 'gpt-5.4-mini', object: 'deployment', status: 'succeeded' }
    const api = await openUpstream(answering(200, { object: 'list', data: [deployment] }))
    const words = ['--provider', 'azure', '--base-url', api.url]
    const env = { AZURE_OPENAI_API_KEY: 'az-key' }
    const { stdout, written } = await initIn(words, env)
    expect(stdout).toContain('azure: the key is good, 1 model')
    expect(written().models['chat-1']).toMatchObject({ provider: 'azure' })
    const { code, stderr } = await initIn([...words, '--model', 'chat-2'], env)
    expect([code, stderr.trim()]).toEqual([1, expect.stringContaining('did you mean "chat-1"?')])
  })

  test('bedrock: a model of those that the control plane lists, or an ARN that it does not', async () => {
    const api = await openUpstream(knownToBedrock)
    const control = await openUpstream(controlPlane)
    const words = ['--provider', 'bedrock', '--base-url', api.url, '--region', 'us-east-1']
    const env = { AWS_BEARER_TOKEN_BEDROCK: 'bedrock-key', AWS_ENDPOINT_URL_BEDROCK: control.url }
    const { stdout, written } = await initIn(words, env)
    expect(stdout).toContain(`bedrock: the key is good, ${callable.length} models`)
    expect(written().models[callable[0]!]).toMatchObject({ provider: 'bedrock' })
    const imported = 'arn:aws:bedrock:us-east-1:123456789012:imported-model/m1'
    expect((await initIn([...words, '--model', imported], env)).code).toBe(0)
  })

  test('bedrock: by a bearer key, in the region of the environment', async () => {
    const api = await openUpstream(knownToBedrock)
    const words = ['--provider', 'bedrock', '--base-url', api.url, '--model', bedrock.model]
    const env = { AWS_BEARER_TOKEN_BEDROCK: 'bedrock-key', AWS_REGION: 'eu-central-1' }
    const { stdout, stderr, written } = await initIn(words, env)
    const says = 'bedrock: the key is good, its models are not listed (that needs'
    expect([stderr, stdout]).toEqual(['', expect.stringContaining(says)])
    expect(api.arrivals).toMatchObject([{ headers: { authorization: 'Bearer bedrock-key' } }])
    expect(written().providers.bedrock).toMatchObject({ region: 'eu-central-1', api_key: 'bedrock-key' })
  })

  test('bedrock: by what AWS’s own tools find', async () => {
    surroundedBy({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' })
    const api = await openUpstream(knownToBedrock)
    const words = ['--provider', 'bedrock', '--region', 'us-east-1', '--base-url', api.url]
    const { stdout, stderr, written } = await initIn([...words, '--model', bedrock.model])
    expect([stderr, stdout]).toEqual(['', expect.stringMatching(/identity \(the environment\) is good/)])
    expect(written().providers.bedrock).toMatchObject({ region: 'us-east-1' })
    expect(written().providers.bedrock!.access_key_id).toBeUndefined()
  })

  test('vertex: by application default credentials, at a location and with a model that are usual', async () => {
    const server = await openUpstream(metadata)
    surroundedBy({ GCE_METADATA_HOST: new URL(server.url).host, METADATA_SERVER_DETECTION: 'assume-present' })
    const api = await openUpstream(answering(404, { error: { status: 'NOT_FOUND', message: 'no model' } }))
    const { stderr, stdout, written } = await initIn(['--provider', 'vertex', '--base-url', api.url])
    expect([stderr, stdout]).toEqual([
      '',
      expect.stringContaining('vertex: the identity (the metadata server)'),
    ])
    expect(api.arrivals[0]!.path).toContain('/projects/project-of-machine/locations/global/')
    expect(written().providers.vertex).toMatchObject({ location: 'global' })
    expect(written().models['gemini-2.5-flash']).toMatchObject({ provider: 'vertex' })
  })

  test('an identity that only the server will have is not asked for', async () => {
    surroundedBy({})
    const words = ['--provider', 'vertex', '--project', 'mine', '--location', 'eu']
    const refused = await initIn(words)
    expect(refused).toMatchObject({ code: 1, isWritten: false })
    expect(refused.stderr).toMatch(/^vertex: No credentials of Google were found: .* --no-check\.$/m)
    const { code, written } = await initIn([...words, '--no-check'])
    expect(code).toBe(0)
    expect(written().providers.vertex).toMatchObject({ project: 'mine', location: 'eu' })
  })

  const azure = ['--provider', 'azure']
  test.each<[words: readonly string[], says: RegExp, env?: Record<string, string>]>([
    [azure, /^azure needs a resource: --resource NAME, .*--base-url azure=URL\.$/],
    [[...azure, '--resource', 'a b'], /^--resource a b: expected a name such as my-resource\.$/],
    [[...azure, '--resource', 'a', '--base-url', 'azure=http://x'], /both say where azure is: keep one/],
    [[...azure, '--region', 'us-east-1'], /^--region us-east-1: there is no --provider bedrock with it\.$/],
    [
      [...azure, '--resource', 'a', '--no-check'],
      /^azure: this resource does not list its deployments .*Give the name of a deployment: --model azure=NAME/,
    ],
    [[...azure, '--resource', 'a', '--key-env', 'NOT_SET'], /^NOT_SET is not set/],
    [
      ['--provider', 'bedrock'],
      /^bedrock needs a region: --region NAME, or AWS_REGION in the environment\.$/,
    ],
    [
      ['--provider', 'bedrock'],
      /^The region of bedrock in AWS_REGION: expected a name/,
      { AWS_REGION: 'a/b' },
    ],
    [['--provider', 'vertex', '--key-env', 'K'], /takes no key, but the identity of its cloud/],
    [['--provider', 'vertex', '--project', 'a/b'], /^--project a\/b: expected the id of a project\.$/],
  ])('%s: a sentence', async (words, says, env = {}) => {
    const { code, stderr, isWritten } = await initIn(words, env)
    // What no environment would make right.
    const isOfWords = /^--(?:resource|region|project) |keep one|takes no key/.test(stderr)
    expect([code, isWritten, stderr.trim()]).toEqual([isOfWords ? 2 : 1, false, expect.stringMatching(says)])
  })
})
