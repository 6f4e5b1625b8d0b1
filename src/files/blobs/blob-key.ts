/** No dots and no slashes within: a key can neither leave its directory nor name a hidden file. */
const part = /^[a-z0-9-]{1,64}$/

export interface BlobKey {
  readonly group: string
  readonly name: string
}

/** Throws on anything that is not a key: it would be a mistake of ours, since keys never come from clients. */
export const parseBlobKey = (key: string): BlobKey => {
  const [group = '', name = '', ...rest] = key.split('/')
  if (rest.length > 0 || !part.test(group) || !part.test(name)) throw new TypeError('not the key of a blob')
  return { group, name }
}

export const checkGroup = (group: string): string => {
  if (!part.test(group)) throw new TypeError('not a group of blobs')
  return group
}
