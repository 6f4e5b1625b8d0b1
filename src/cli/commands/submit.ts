import { type LineFault, quoted } from '../../batches/line-fault.ts'
import type { BatchView } from '../../batches/view.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import { renderBytes } from '../../terminal/format.ts'
import { shownFromBytes } from '../../terminal/screen.ts'
import type { BatchCheck, NewBatch } from '../batch-client.ts'
import { describeFaults } from '../batch-text.ts'
import { CommandError, type CommandIo, renderJson } from '../command-io.ts'
import { checkPlaces, exitCodes, followBatches, type Places } from '../follow-batches.ts'
import { metadataOf } from '../metadata-option.ts'
import { type Session, type SessionOptions, withSession } from '../session.ts'
import { createBatches } from '../submission/create-batches.ts'
import { type Input, readInput } from '../submission/read-input.ts'
import { marks, readSubmissionOf } from '../submission/submission-mark.ts'
import { endpointOf, type Survey, surveyInput } from '../submission/survey.ts'

export interface SubmitOptions extends SessionOptions, Places {
  readonly wait: boolean
  readonly endpoint?: string
  readonly window: string
  readonly webhook?: string
  /** US dollars. */
  readonly maxCost?: number
  /** Each `key=value`. */
  readonly metadata?: readonly string[]
  /** Lines of one batch at most. */
  readonly split?: number
  /** A submission that broke off. */
  readonly resume?: string
}

/**
 * Makes a batch of a JSONL file, or several of one that is too long for one. Answers once they are created, or have ended
 * where that is waited for. All that can be known of the file is known before any of it is sent.
 */
export const submit = (file: string, options: SubmitOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, async session => {
    session.leaves('nothing was submitted')
    await using input = await readInput(session, file)
    await checkPlaces(session, options)
    const request = await requestOf(input, options)
    // A wrong key or address, and what a batch may not be, are told before a large file has been read.
    const check = await session.batches.check(request, [])
    const survey = await surveyOf(session, input, request, {
      ...check,
      ...(options.split && { max_lines: Math.min(options.split, check.max_lines) }),
    })
    const faults = [...survey.faults, ...(await faultsOfModels(session, request, survey))]
    if (faults.length > 0) return refuse(session, input, faults)
    const resumeBy = (id: string): string => session.suggest(commandLine(file, options, id))
    const batches = await createBatches(session, { input, survey, request, resume: options.resume, resumeBy })
    return finish(session, batches, options)
  })

const finish = (
  session: Session,
  batches: readonly BatchView[],
  options: SubmitOptions,
): Promise<number> | number => {
  const { screen, out, suggest } = session
  const ids = batches.map(({ id }) => id)
  const name = readSubmissionOf(batches[0]!.metadata) ?? ids[0]!
  const created = batches.length === 1 ? `${name} is created` : `${batches.length} batches are created`
  if (options.wait) {
    screen.say(created)
    return followBatches(session, { ids, name, words: name }, options)
  }
  const result = batches.length === 1 ? { batch: batches[0] } : { batches }
  if (options.json) out(renderJson({ ...result, output: null, errors: null }))
  else out(ids.join('\n'))
  screen.say(
    [
      batches.length === 1 ? 'the batch is created' : created,
      `  follow, and get the results: ${suggest(`batches wait ${name}`)}`,
      ...(batches.length === 1 ? [`  look at it: ${suggest(`batches show ${name}`)}`] : []),
      `  cancel: ${suggest(`batches cancel ${name}`)}`,
    ].join('\n'),
  )
  return 0
}

const requestOf = async (
  { content }: Input,
  { endpoint, window, webhook, maxCost, metadata = [] }: SubmitOptions,
): Promise<Omit<NewBatch, 'input_file_id'>> => {
  const pairs = metadataOf(metadata)
  const taken = marks.find(mark => mark in pairs)
  if (taken !== undefined) throw new CommandError(`--metadata ${taken} is kept for the command itself`)
  return {
    endpoint: endpoint ?? (await endpointOf(content)) ?? '/v1/chat/completions',
    completion_window: window,
    ...(metadata.length > 0 && { metadata: pairs }),
    ...(webhook !== undefined && { webhook: { url: webhook } }),
    ...(maxCost !== undefined && { max_cost_usd: maxCost }),
  }
}

const surveyOf = (
  { screen, signal }: Session,
  { content }: Input,
  { endpoint }: Pick<NewBatch, 'endpoint'>,
  limits: BatchCheck,
): Promise<Survey> => {
  let read = 0
  const onRead = (bytes: number): void => {
    read += bytes
    if (content.size < shownFromBytes) return
    const text = `checking ${renderBytes(read)} of ${renderBytes(content.size)}`
    screen.show({ share: read / content.size, text, phase: 'checking' })
  }
  return surveyInput(content, { endpoint: endpoint as Endpoint, limits, signal, onRead })
}

/** The models are asked for at once, as routes are the server's to know. */
const faultsOfModels = async (
  { batches }: Session,
  request: Omit<NewBatch, 'input_file_id'>,
  { models }: Survey,
): Promise<readonly LineFault[]> => {
  const names = [...models.keys()].slice(0, mostModels)
  if (names.length === 0) return []
  const { unknown_models: unknown } = await batches.check(request, names)
  return unknown.map(model => {
    const { line, count } = models.get(model)!
    const others = count === 1 ? '' : `, as in ${count - 1} other${count === 2 ? '' : 's'}`
    const message = `The model ${quoted(model)} does not exist here, or not at ${request.endpoint}${others}.`
    return { code: 'model_not_found', message, param: 'body.model', line }
  })
}

/** Of one question. A file with more is told of by the batch. */
const mostModels = 1_000

const refuse = ({ json, out, paint }: Session, { name }: Input, faults: readonly LineFault[]): number => {
  const sorted = faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
  if (json) out(renderJson({ batch: null, output: null, errors: null, faults: sorted }))
  else out(`${paint('bad', `${name} is refused, and nothing was sent:`)}\n${describeFaults(sorted)}`)
  return exitCodes.refused
}

/** What was asked for, to be typed again. */
const commandLine = (file: string, options: SubmitOptions, id: string): string => {
  const { wait, output, errors, webhook, endpoint, window, maxCost, metadata = [], split } = options
  const given: readonly (readonly [string, string | number | undefined])[] = [
    ...([
      ['output', output],
      ['errors', errors],
      ['webhook', webhook],
      ['endpoint', endpoint],
    ] as const),
    ...([
      ['window', window === usualWindow ? undefined : window],
      ['max-cost', maxCost],
      ['split', split],
    ] as const),
    ...metadata.map(pair => ['metadata', pair] as const),
    ['resume', id],
  ]
  const words = given.flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, shellWord(String(value))],
  )
  return ['submit', shellWord(file), ...(wait ? ['--wait'] : []), ...words].join(' ')
}

export const usualWindow = '24h'

const shellWord = (text: string): string =>
  /^[\w./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
