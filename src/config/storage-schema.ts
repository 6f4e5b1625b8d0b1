import { z } from 'zod'
import { flag, httpUrl, numeric, positiveInt } from './schema-values.ts'
import { awsProfile, headerSafeKey, roleArn, secretFile } from './vendor-settings.ts'

/** What S3 takes as one object from a source of unknown length: 10,000 parts of 5 MiB. */
export const maxBlobBytes = 10_000 * 5 * 1024 * 1024
const s3 = z.strictObject({
  bucket: z.string().min(1),
  region: z.string().min(1).default('us-east-1'),
  /** The address of a store that speaks S3; Amazon's own without it. */
  endpoint: httpUrl.optional(),
  /** Sets this deployment's objects apart from others in the bucket. */
  prefix: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'expected words of letters, digits, ., _ and -, with / between them')
    .default('baton'),
  /** A profile of `~/.aws/config`, which AWS's own tools use. */
  profile: awsProfile.optional(),
  /** A role that is taken on with the keys that there are. */
  role_arn: roleArn.optional(),
  /** Without the two keys they are looked for where AWS's own tools do: environment, profile, role of the pod or machine. */
  access_key_id: headerSafeKey.optional(),
  secret_access_key: headerSafeKey.optional(),
  access_key_id_file: secretFile,
  secret_access_key_file: secretFile,
  /** `https://host/bucket` in place of `https://bucket.host`. */
  force_path_style: flag.default(false),
})

/** Where the bytes of files are kept. The API and the batch workers need the same place. */
export const storage = z.strictObject({
  /** A directory, made when it is not there; relative to where the process starts. */
  path: z.string().min(1).default('.baton/blobs'),
  s3: s3.optional(),
})

export const files = z.strictObject({
  max_bytes: numeric(z.int().positive().max(maxBlobBytes)).default(512 * 1024 * 1024),
  /** One file that was uploaded in parts. */
  max_upload_bytes: positiveInt.default(8 * 1024 * 1024 * 1024),
})
