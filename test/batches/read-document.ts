import { messageBatchLines } from '../../src/batches/anthropic-document.ts'
import { piecesOf, textOf } from './pieces.ts'

export interface ReadOptions {
  readonly places?: readonly number[]
  readonly maxRequests?: number
  readonly maxRequestBytes?: number
}

/** Reads a whole document, cut into pieces at `places`. */
export const read = async (document: string | Buffer, options: ReadOptions = {}) => {
  const { places, maxRequests = 100, maxRequestBytes = 1_000_000 } = options
  const reading = messageBatchLines(piecesOf(Buffer.from(document), places), { maxRequests, maxRequestBytes })
  const text = await textOf(reading.lines)
  return { text, total: reading.total(), extras: reading.extras() }
}

export const request = (id: unknown, params: unknown = { model: 'claude-x' }) => ({ custom_id: id, params })
export const documentOf = (...requests: unknown[]) => JSON.stringify({ requests })
