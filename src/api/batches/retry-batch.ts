import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { failedLines, pickLines } from '../../batches/failed-lines.ts'
import { type BatchRecord, hasEnded } from '../../batches/record.ts'
import { BatonError } from '../../domain/errors.ts'
import { readFile } from '../../files/read-file.ts'
import type { FileRecord, Segment } from '../../files/record.ts'
import { newFileId, shardOf, ulidOf } from '../../redis/keys.ts'
import { rulesFor } from '../files/file-rules.ts'
import { asStorageTrouble, discardFile } from '../files/receive-blob.ts'
import { orNotFound } from '../files/send-content.ts'
import { checkWebhook } from '../http/check-webhook.ts'
import { fingerprintOf } from '../http/idempotency.ts'
import type { ApiParts } from '../parts.ts'
import { type BatchParts, createBatch } from './create-batch.ts'
import type { batchRetryRequest } from './request-schemas.ts'

/**
 * Makes a batch of the lines in another one's error file, with an input file of its own. Throws
 * `batch_not_retryable`, and `file_not_found` when the input or the error file is gone.
 */
export const retryBatch = async (
  parts: BatchParts,
  request: FastifyRequest,
  reply: FastifyReply,
  batch: BatchRecord,
  changes: z.output<typeof batchRetryRequest>,
): Promise<BatchRecord> => {
  assertRetryable(batch)
  const { completion_window, metadata = batch.metadata, webhook, max_cost_usd } = changes
  const repeated = fingerprintOf(request, [batch.id, changes])
  const target = webhook
    ? await checkWebhook(parts, webhook, request.tenant)
    : webhook === null
      ? null
      : batch.webhook
  const input = await writeInput(parts, batch).catch(asStorageTrouble)
  let isUsed = false
  try {
    const created = await createBatch(
      parts,
      request,
      reply,
      {
        ...repeated,
        inputFileId: input.id,
        input: input.segments,
        endpoint: batch.endpoint,
        completionWindow: completion_window ?? batch.completionWindow,
        metadata,
        outputExpiresAfterMs: batch.outputExpiresAfterMs,
        webhook: target,
        maxCostUsd: max_cost_usd ?? batch.maxCostUsd,
        retryOf: batch.id,
        headers: batch.headers,
      },
      () => gone('input'),
    )
    isUsed = !created.isReplayed
    return created.batch
  } finally {
    // A batch that was made after all, unknown to us, still reads it.
    if (!isUsed) await parts.files.remove(input.id).catch(() => leftOver(parts, input.id))
  }
}

const assertRetryable = ({ status, errorBytes }: BatchRecord): void => {
  const refuse = (why: string): never => {
    throw new BatonError('batch_not_retryable', why)
  }
  if (!hasEnded(status)) refuse(`The batch is ${status}; its failed lines can be retried when it has ended.`)
  if (status === 'failed') refuse('The input of the batch was found to be wrong; mend it and upload it anew.')
  if (errorBytes === 0) refuse('The batch has no failed lines.')
}

const gone = (which: 'input' | 'error'): BatonError =>
  new BatonError('file_not_found', `The ${which} file of the batch is deleted or past its expiry.`, {
    param: `${which}_file_id`,
  })

/** In the shard of the first batch, so that the request is known when it comes again. */
const writeInput = async (
  parts: Pick<ApiParts, 'blobs' | 'files' | 'log' | 'now'>,
  batch: BatchRecord,
): Promise<{ readonly id: string; readonly segments: readonly Segment[] }> => {
  const { files, blobs, now } = parts
  const { tenant } = batch
  const source = await files.read(batch.inputFileId!)
  if (source === null) throw gone('input')
  const failed = await readFailed(parts, batch)
  const id = newFileId(shardOf(batch.id), now())
  const key = `${ulidOf(id)}/content`
  await files.reserve(id, tenant)
  try {
    const { bytes } = await blobs
      .write(key, pickLines(readFile(blobs, batch.input), failed))
      .catch(orNotFound(() => gone('input')))
    const createdAtMs = now()
    const { purpose, expiresAfterMs } = rulesFor('batch', null)
    const file: FileRecord = {
      id,
      tenant,
      purpose,
      filename: `${batch.id}_retry.jsonl`,
      bytes,
      createdAtMs,
      expiresAtMs: createdAtMs + expiresAfterMs!,
    }
    const segments = [{ key, bytes }]
    if (!(await files.create(file, segments))) {
      throw new BatonError('storage_unavailable', 'The bytes took too long and are gone.')
    }
    return { id, segments }
  } catch (error) {
    await discardFile(parts, id)
    throw error
  }
}

const readFailed = async (
  { files, blobs }: Pick<ApiParts, 'blobs' | 'files'>,
  { errorFileId, total }: BatchRecord,
) => {
  if ((await files.read(errorFileId)) === null) throw gone('error')
  const segments = await files.segments(errorFileId)
  return failedLines(readFile(blobs, segments), total!).catch(orNotFound(() => gone('error')))
}

const leftOver = ({ log }: Pick<ApiParts, 'log'>, id: string): void =>
  log.debug({ event: 'file.purge_deferred', fileId: id }, 'file left to the purger')
