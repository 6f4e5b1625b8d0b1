/** A stretch of a file's bytes: one blob. */
export interface Segment {
  readonly key: string
  readonly bytes: number
}

/** As `keys.segments(file)` lists it. A blob's key has no space. */
export const formatSegment = ({ key, bytes }: Segment): string => `${key} ${bytes}`

export const parseSegment = (text: string): Segment => {
  const space = text.indexOf(' ')
  return { key: text.slice(0, space), bytes: Number(text.slice(space + 1)) }
}

export const bytesOf = (segments: readonly Segment[]): number =>
  segments.reduce((sum, segment) => sum + segment.bytes, 0)
