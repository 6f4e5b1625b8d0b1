import { randomInt } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import type { FileRecord } from '../../files/record.ts'
import { newFileId, shardCount, ulidOf } from '../../redis/keys.ts'
import { fileNotFound, findOwnedFile } from '../http/find-owned.ts'
import { ignoreBodies } from '../http/json-body.ts'
import { acceptForms } from '../http/multipart.ts'
import { reserveQuota } from '../http/quota.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import {
  cleanFilename,
  type FileRules,
  fileListQuery,
  maxBytesOf,
  purposeOf,
  rulesOf,
  tooLarge,
} from './file-rules.ts'
import { fileView } from './file-view.ts'
import { findReadableFile, growingFiles, withGrowing } from './growing-files.ts'
import { asStorageTrouble, discardFile, type ReceivedBlob, receiveBlob } from './receive-blob.ts'
import { orNotFound, sendContent } from './send-content.ts'

type FileParams = { Params: { id: string } }

/** `POST /v1/files`, `GET /v1/files`, and `GET`, `DELETE` and `GET …/content` of one. */
export const addFileRoutes = (
  scope: ApiScope,
  parts: Pick<ApiParts, 'batches' | 'blobs' | 'config' | 'files' | 'log' | 'now' | 'quotas'>,
): void => {
  const { files, blobs } = parts

  scope.register(async inner => {
    acceptForms(inner)
    inner.post('/v1/files', async request => fileView(await createFile(parts, request)))
  })

  scope.get('/v1/files', { schema: { querystring: fileListQuery } }, async request => {
    const { after = null, limit, order, purpose = null } = request.query
    const query = { after, limit, order, purpose }
    const own = await files.list(request.tenant, query)
    if (own === 'unknown_cursor') {
      throw new BatonError('invalid_cursor', '`after` must be the id of a file.', { param: 'after' })
    }
    const page = withGrowing(own, await growingFiles(parts.batches, request.tenant), query)
    const data = page.files.map(fileView)
    const [first, last] = [page.files[0], page.files.at(-1)]
    return {
      object: 'list',
      data,
      first_id: first?.id ?? null,
      last_id: last?.id ?? null,
      has_more: page.hasMore,
    }
  })

  scope.get<FileParams>('/v1/files/:id', async request =>
    fileView(await findReadableFile(parts, request, request.params.id)),
  )

  scope.route<FileParams>({
    method: ['GET', 'HEAD'],
    url: '/v1/files/:id/content',
    handler: async (request, reply) => {
      const file = await findReadableFile(parts, request, request.params.id)
      const { id, filename } = file
      const segments = await files.segments(id)
      return sendContent(blobs, request, reply, { segments, filename, isGrowing: 'isGrowing' in file })
        .catch(orNotFound(() => fileNotFound(id)))
        .catch(asStorageTrouble)
    },
  })

  scope.register(async inner => {
    ignoreBodies(inner)
    inner.delete<FileParams>('/v1/files/:id', async request => {
      const { id } = await findOwnedFile(files, request, request.params.id)
      if (!(await files.remove(id))) throw fileNotFound(id)
      return { id, object: 'file', deleted: true }
    })
  })
}

const createFile = async (
  parts: Pick<ApiParts, 'blobs' | 'config' | 'files' | 'log' | 'now' | 'quotas'>,
  request: FastifyRequest,
): Promise<FileRecord> => {
  const { files, quotas, now } = parts
  const id = newFileId(randomInt(shardCount), now())
  const key = `${ulidOf(id)}/content`
  await files.reserve(id, request.tenant)
  const received = async () => {
    // First the size that `content-length` claims, then the real one.
    await reserveQuota(quotas, request.tenant, id, 1, Number(request.headers['content-length'] ?? 0))
    const received = await receiveFile(parts, request, key)
    await reserveQuota(quotas, request.tenant, id, 1, received.file.bytes)
    return received
  }
  const { rules, file } = await received().catch(async (error: unknown) => {
    await discardFile(parts, id)
    return asStorageTrouble(error)
  })
  const createdAtMs = now()
  const record: FileRecord = {
    id,
    tenant: request.tenant,
    purpose: rules.purpose,
    filename: cleanFilename(file.filename),
    bytes: file.bytes,
    createdAtMs,
    expiresAtMs: rules.expiresAfterMs === null ? null : createdAtMs + rules.expiresAfterMs,
  }
  if (!(await files.create(record, [{ key, bytes: file.bytes }]))) {
    throw new BatonError('storage_unavailable', 'The bytes took too long and are gone.')
  }
  return record
}

/** Writes the form's file, then judges it by the fields: clients send them in either order. */
const receiveFile = async (
  parts: Pick<ApiParts, 'blobs' | 'config'>,
  request: FastifyRequest,
  key: string,
): Promise<{ readonly rules: FileRules; readonly file: ReceivedBlob }> => {
  const { config } = parts
  const { fields, file } = await receiveBlob(parts, request, {
    field: 'file',
    key,
    maxBytes: before => maxBytesOf(config, before.has('purpose') ? purposeOf(before) : null),
  })
  const rules = rulesOf(fields)
  if (file === null) throw new BatonError('invalid_request', "'file' is missing.", { param: 'file' })
  const maxBytes = maxBytesOf(config, rules.purpose)
  if (file.bytes > maxBytes) throw tooLarge(maxBytes, 'file')
  return { rules, file }
}
