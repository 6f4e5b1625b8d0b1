import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createErrorHandler } from '../../src/api/http/errors.ts'
import { acceptForms, readForm } from '../../src/api/http/multipart.ts'
import { createLogger } from '../../src/lifecycle/logger.ts'
import { boundary, type FormPart, formHeaders, formOf } from '../api/forms.ts'
import { piecesOf } from '../batches/pieces.ts'
import { patienceMs, runs } from './runs.ts'

let app: FastifyInstance
const agent = new Agent({ keepAlive: true })

beforeAll(async () => {
  app = fastify()
  app.setErrorHandler(createErrorHandler(createLogger('silent')))
  acceptForms(app)
  app.post('/', async incoming => {
    const { fields, file } = await readForm(incoming, 'file', async ({ bytes }) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of bytes) chunks.push(chunk)
      return Buffer.concat(chunks).toString('latin1')
    })
    return { fields: [...fields], file }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  agent.destroy()
  await app.close()
})

interface Told {
  readonly status: number
  readonly json: { fields?: [string, string][]; file?: string | null; error?: { code: string } }
}

/** Sends the body in these pieces, each in a packet of its own as far as the system lets it. */
const post = (body: Buffer, cuts: readonly number[]): Promise<Told> =>
  new Promise((resolve, reject) => {
    const { port } = app.server.address() as AddressInfo
    const headers = { ...formHeaders, 'content-length': body.length }
    const sent = request({ host: '127.0.0.1', port, method: 'POST', agent, headers }, response => {
      response.setEncoding('utf8')
      const answer = response.toArray().then(texts => ({
        status: response.statusCode!,
        json: JSON.parse(texts.join('')),
      }))
      answer.then(resolve, reject)
    })
    sent.setNoDelay(true)
    sent.on('error', reject)
    const write = async (): Promise<void> => {
      for await (const piece of piecesOf(body, cuts)) {
        await new Promise<void>((done, failed) =>
          sent.write(piece, error => (error ? failed(error) : done())),
        )
      }
      sent.end()
    }
    write().catch(reject)
  })

/** Bytes that come as near to a boundary as they may. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 8 }).map(bytes => Buffer.from(bytes)),
  fc
    .constantFrom(
      '\r\n',
      '\r',
      '\n',
      '--',
      '\r\n--',
      `\r\n--${boundary.slice(0, -1)}`,
      `--${boundary.slice(1)}`,
      '\0',
    )
    .map(text => Buffer.from(text)),
)
const content = fc
  .array(piece, { maxLength: 12 })
  .map(pieces => Buffer.concat(pieces))
  .filter(bytes => !bytes.includes(`\r\n--${boundary}`) && !bytes.subarray(0, 80).includes(`--${boundary}`))
const fieldName = fc.constantFrom('purpose', 'a', 'expires_after[anchor]', 'ü')
const fields = fc.uniqueArray(fc.tuple(fieldName, fc.string({ unit: 'grapheme', maxLength: 30 })), {
  selector: ([name]) => name,
  maxLength: 3,
})
const cuts = fc.array(fc.nat(900), { maxLength: 6 })

interface Given {
  readonly fields: readonly (readonly [string, string])[]
  readonly file: Buffer
  readonly parts: readonly FormPart[]
}
const form: fc.Arbitrary<Given> = fc.tuple(fields, content, fc.nat(3)).map(([pairs, file, place]) => {
  const parts: FormPart[] = pairs.map(([name, value]) => ({ name, value }))
  parts.splice(place, 0, { name: 'file', value: file, filename: 'a.bin' })
  return { fields: pairs, file, parts }
})

describe('random forms', () => {
  describe('a form', { timeout: patienceMs }, () => {
    it('is read as it was written, whatever is in it and however it is cut', async () => {
      await fc.assert(
        fc.asyncProperty(form, cuts, async (given, places) => {
          const { status, json } = await post(formOf(given.parts), places)
          expect({ status, json }).toEqual({
            status: 200,
            json: { fields: given.fields, file: given.file.toString('latin1') },
          })
        }),
        runs(300),
      )
    })

    it('that broke off is refused, or had its file whole already', async () => {
      await fc.assert(
        fc.asyncProperty(form, fc.nat(900), cuts, async (given, most, places) => {
          const { status, json } = await post(formOf(given.parts).subarray(0, most), places)
          if (status === 200) expect([given.file.toString('latin1'), null]).toContain(json.file)
          else expect([status, json.error!.code]).toEqual([400, 'invalid_multipart'])
        }),
        runs(200),
      )
    })

    it('that is damaged is read or refused, and never a failure', async () => {
      const damage = fc.tuple(
        fc.nat(900),
        fc.nat(6),
        fc.constantFrom('', '\r', '\n', '"', ';', '--', '\0', 'x'.repeat(9_000)),
      )
      await fc.assert(
        fc.asyncProperty(form, damage, async (given, [at, length, text]) => {
          const whole = formOf(given.parts)
          const damaged = [whole.subarray(0, at), Buffer.from(text), whole.subarray(at + length)]
          const { status, json } = await post(Buffer.concat(damaged), [])
          if (status !== 200) expect([400, 413]).toContain(status)
          if (status === 400) expect(['invalid_multipart', 'invalid_request']).toContain(json.error!.code)
        }),
        runs(200),
      )
    })
  })
})
