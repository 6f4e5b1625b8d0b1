import { writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { configSchema } from '../../../../src/config/schema.ts'
import { Interrupt } from '../../../../src/domain/interrupt.ts'
import { openBlobs, sourceOfKeys } from '../../../../src/start-blobs.ts'
import { nowMs, openProvider, openUpstream, requestOf } from '../open-provider.ts'
import { type Arrival, answering, type RecordingUpstream } from '../recording-upstream.ts'
import { bodyFor, chats } from '../vendors/all.ts'
import { bedrock } from '../vendors/bedrock.ts'
import { podWithRole, type Way, ways } from './aws-ways.ts'
import { stsError } from './fake-aws.ts'

/** Who is shown keys of AWS, and a request of each kind. */
interface Shown {
  readonly api: RecordingUpstream
  ask(): Promise<unknown>
  source(): Promise<string>
}

let clockMs = nowMs

const openBedrock = async ({ settings }: Pick<Way, 'settings'>): Promise<Shown> => {
  const api = await openUpstream(answering(200, bedrock.answer({ text: 'four' })))
  const provider = openProvider({ type: 'bedrock', base_url: api.url, region: 'us-east-1', ...settings })
  return {
    api,
    ask: async () => {
      const request = requestOf(chats, bodyFor(chats), { model: bedrock.model, apiKey: null })
      expect(await provider.call(request)).toMatchObject({ status: 200 })
    },
    source: async () => ((await provider.prove!(new Interrupt())) as { source: string }).source,
  }
}

const s3: RequestListener = (_, response) => {
  response.setHeader('etag', '"e"')
  response.end()
}

const openS3 = async ({ settings }: Pick<Way, 'settings'>): Promise<Shown> => {
  const api = await openUpstream(s3)
  const place = { bucket: 'b', region: 'us-east-1', endpoint: api.url, force_path_style: true, ...settings }
  const { storage } = configSchema.parse({ storage: { s3: place } })
  const blobs = await openBlobs(storage, () => clockMs)
  onTestFinished(() => blobs.close())
  let n = 0
  return {
    api,
    ask: async () => {
      async function* source() {
        yield Buffer.from('hello')
      }
      expect(await blobs.write(`g/a${n++}`, source())).toEqual({ bytes: 5 })
    },
    source: () => sourceOfKeys(storage.s3!, () => clockMs),
  }
}

const keyOf = ({ headers }: Arrival): unknown[] => [
  /Credential=(\w+)\//.exec(headers.authorization ?? '')?.[1],
  headers['x-amz-security-token'],
]

describe.each([
  ['Bedrock', openBedrock],
  ['S3', openS3],
])('%s by', (_, open) => {
  test.each(ways)('%s: is signed with what is handed out, anew where that ends', async (_, openWay) => {
    clockMs = nowMs
    const way = await openWay()
    const { api, ask, source } = await open(way)
    await ask()
    await ask()
    const { aws } = way
    expect(aws.handedOut).toHaveLength(1)
    expect(new Set(api.arrivals.map(keyOf).map(String))).toEqual(
      new Set([`${aws.handedOut[0]!.id},${aws.handedOut[0]!.token}`]),
    )
    expect(await source()).toMatch(way.source)
  })

  // Of the metadata service the SDK goes on with what it gave last, and of a program it takes nothing that has ended.
  const ending = ways.filter(([name]) => !/IMDSv2|credential_process/.test(name))
  test.each(ending)('%s: keys that last no time are asked for again', async (_, openWay) => {
    clockMs = nowMs
    const way = await openWay()
    way.aws.lastsMs = 0
    const { api, ask } = await open(way)
    await ask()
    await ask()
    expect(way.aws.handedOut.length).toBeGreaterThan(1)
    const { id, token } = way.aws.handedOut.at(-1)!
    expect(keyOf(api.arrivals.at(-1)!)).toEqual([id, token])
  })

  test('a web token that Kubernetes has written anew is read anew', async () => {
    clockMs = nowMs
    const { aws, server, file } = await podWithRole()
    aws.lastsMs = 0
    const { ask } = await open({ settings: {} })
    await ask()
    writeFileSync(file, 'another.web.token')
    aws.webToken = 'another.web.token'
    await ask()
    expect(new URLSearchParams(server.arrivals.at(-1)!.text).get('WebIdentityToken')).toBe(
      'another.web.token',
    )
  })
})

describe('a bucket whose keys', () => {
  test('are renewed before their end, without a request that waits for it', async () => {
    clockMs = nowMs
    const { aws } = await podWithRole()
    const { api, ask } = await openS3({ settings: {} })
    await ask()
    clockMs = nowMs + aws.lastsMs - 120_000
    await ask()
    await expect.poll(() => aws.handedOut.length).toBe(2)
    await ask()
    expect(keyOf(api.arrivals.at(-1)!)[0]).toBe(aws.handedOut[1]!.id)
  })

  test.each<[string, RequestListener, RegExp]>([
    [
      'hangs up',
      (_, response) => response.destroy(),
      /The servers that hand out keys of AWS do not answer \(reset\)/,
    ],
    ['is in trouble', stsError(503, 'ServiceUnavailable', 'away'), /do not answer \(status 503\)/],
    [
      'refuses',
      stsError(403, 'AccessDenied', 'no trust'),
      /AWS refuses \(AccessDenied: no trust\)\. See whether the role/,
    ],
  ])('come of a server that %s: says so, and goes on when it is back', async (_, refuses, says) => {
    clockMs = nowMs
    const { aws } = await podWithRole()
    aws.refuses = refuses
    const { api, ask } = await openS3({ settings: {} })
    await expect(ask()).rejects.toThrow(says)
    expect(api.arrivals).toEqual([])
    aws.refuses = null
    await ask()
    expect(api.arrivals.length).toBeGreaterThan(0)
  })
})
