const eventStream = 'text/event-stream'

/**
 * Whether a client wants events rather than JSON (RFC 9110, 12.5.1). They must be asked for by name, since a stream is not
 * what whoever takes anything expects; of two wants that are equal this is the one that nobody has by default.
 */
export const acceptsEventStream = (header: string | undefined): boolean => {
  const accept = header?.toLowerCase() ?? ''
  if (!accept.includes(eventStream)) return false
  const qualities = new Map(accept.split(',').map(qualityOf))
  const stream = qualities.get(eventStream) ?? 0
  const json =
    qualities.get('application/json') ?? qualities.get('application/*') ?? qualities.get('*/*') ?? 0
  return stream > 0 && stream >= json
}

/** A malformed quality is passed over, like a malformed preference. */
const qualityOf = (range: string): readonly [type: string, quality: number] => {
  const [type = '', ...parameters] = range.split(';').map(part => part.trim())
  const quality = parameters.map(p => /^q\s*=\s*([01](?:\.\d*)?)$/.exec(p)?.[1]).find(q => q !== undefined)
  return [type, quality === undefined ? 1 : Number(quality)]
}
