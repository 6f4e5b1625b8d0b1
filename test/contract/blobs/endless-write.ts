import { createDiskBlobs } from '../../../src/files/blobs/disk-blobs.ts'

/** A process that writes a blob without end, for the test to kill. */
const [dir, key] = process.argv.slice(2) as [string, string]

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let sent = 0; ; sent += 1) {
    if (sent === 10) process.send?.('writing')
    yield Buffer.alloc(64 * 1024, 'x')
    // So that it writes little between the message and its end.
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}

await createDiskBlobs(dir).write(key, endless())
