import { startFauxqs } from 'fauxqs'

/** The process of `startS3Server`: its arguments are where to keep objects, and the name of the one bucket. */
const [dir, bucket] = process.argv.slice(2) as [string, string]
const server = await startFauxqs({ port: 0, logger: false, s3StorageDir: dir, init: { buckets: [bucket] } })
process.send?.({ port: server.port })
// With its parent gone, nobody needs it.
process.once('disconnect', () => process.exit(0))
