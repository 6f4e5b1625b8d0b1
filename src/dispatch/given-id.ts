import type { Home } from '../domain/routing/kept-state.ts'
import type { StreamSink } from '../domain/streaming/stream-sink.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import type { UpstreamRequest } from '../providers/provider.ts'

/** Within a string its quotes would be escaped: so this is a member, of whichever object. */
const namesOf = (id: string): RegExp => {
  const written = JSON.stringify(id).replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`("previous_response_id"\\s*:\\s*)${written}`, 'g')
}

/**
 * A response repeats the id of the one that it goes on from. Where the client knows that by another id than its provider, the
 * answer and its events have the client's, whoever reads them and from wherever.
 */
export const withGivenId = async (
  home: Home | null,
  request: UpstreamRequest,
  call: (request: UpstreamRequest) => Promise<UpstreamOutcome>,
): Promise<UpstreamOutcome> => {
  if (home?.givenId === undefined) return call(request)
  const { id, givenId } = home
  const names = namesOf(id)
  const given = (text: string): string =>
    text.replace(names, (_, member: string) => member + JSON.stringify(givenId))
  const { stream } = request
  const sink: StreamSink | undefined = stream && { write: events => stream.write(given(events)) }
  const outcome = await call({ ...request, ...(sink && { stream: sink }) })
  return outcome.kind === 'answer' ? { ...outcome, text: given(outcome.text) } : outcome
}
