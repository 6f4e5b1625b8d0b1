import { randomUUID } from 'node:crypto'

/**
 * The form that `POST /v1/files` takes, its file read as it is sent. Not a FormData: of one, fetch reads ahead as fast as the
 * disk allows, and holds what the connection has not taken yet.
 */
export const uploadForm = (file: Blob, filename: string): Blob => {
  const boundary = `baton-${randomUUID()}`
  const part = (disposition: string): string =>
    `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\n`
  return new Blob(
    [
      // First, so that the API knows the limits by which it takes the file.
      `${part('name="purpose"')}\r\nbatch\r\n`,
      `${part(`name="file"; filename="${escaped(filename)}"`)}content-type: application/jsonl\r\n\r\n`,
      file,
      `\r\n--${boundary}--\r\n`,
    ],
    { type: `multipart/form-data; boundary=${boundary}` },
  )
}

/** As HTML's forms have it. */
const escaped = (name: string): string =>
  name.replace(
    /["\r\n]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
