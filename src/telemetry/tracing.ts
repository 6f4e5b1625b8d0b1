import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { attribute } from './span-names.ts'

/**
 * Whether somebody brought an SDK along, with `--import`, which runs before all else. Without one nothing here makes a span, and a
 * job's record holds no word more.
 */
export const isTracing: boolean = (() => {
  const provider = trace.getTracerProvider()
  return (
    !('getDelegateTracer' in provider) || (provider as Delegating).getDelegateTracer('baton') !== undefined
  )
})()

interface Delegating {
  getDelegateTracer(name: string): object | undefined
}

const tracer = trace.getTracer('baton')

export interface SpanTerms {
  readonly kind: 'server' | 'client' | 'producer' | 'consumer'
  /**
   * The span that sent it through a queue, as `traceOf` told: it goes on in that trace, and is linked to it, as the wait between
   * is neither's. Null where nobody traced what sent it: a trace begins, whatever this place did before. Absent for what goes on in
   * the span that is active.
   */
  readonly sentBy?: string | null
  readonly attributes: Attributes
}

const kinds = {
  ...{ server: SpanKind.SERVER, client: SpanKind.CLIENT },
  ...{ producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER },
} as const

/** Runs something within a span, which is the active one for all that it does. Null is given where nobody traces. */
export const inSpan = async <T>(
  name: string,
  terms: SpanTerms | (() => SpanTerms),
  run: (span: Span | null) => Promise<T>,
): Promise<T> => {
  if (!isTracing) return run(null)
  const { kind, sentBy, attributes } = typeof terms === 'function' ? terms() : terms
  const parent = sentBy === undefined ? context.active() : contextOf(sentBy)
  const from = sentBy ? trace.getSpanContext(parent) : undefined
  const span = tracer.startSpan(
    name,
    { kind: kinds[kind], attributes, ...(from && { links: [{ context: from }] }) },
    parent,
  )
  try {
    return await context.with(trace.setSpan(parent, span), () => run(span))
  } catch (error) {
    failed(span, (error as { code?: string }).code ?? (error as Error).name)
    throw error
  } finally {
    span.end()
  }
}

/** Never with a message: it may quote what was asked or answered. */
export const failed = (span: Span | null, type: string): void => {
  span?.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(attribute.errorType, type)
}

/** Notes something at the active span. */
export const noteEvent = (name: string, attributes: Attributes): void => {
  if (isTracing) trace.getActiveSpan()?.addEvent(name, attributes)
}

/** Adds to the active span. */
export const noteAttributes = (attributes: Attributes): void => {
  if (isTracing) trace.getActiveSpan()?.setAttributes(attributes)
}

/** The active span as W3C's `traceparent`, to be kept with what goes through a queue; undefined where nobody traces. */
export const traceOf = (): string | undefined => {
  const active = isTracing ? trace.getActiveSpan()?.spanContext() : undefined
  return active && `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, '0')}`
}

/**
 * The active span as headers of a request to elsewhere, in the way that the SDK is set to; none where nobody traces. Nothing but the span
 * is in them: what a client sent beside it (`tracestate`, `baggage`) is not kept with what goes through a queue.
 */
export const traceHeaders = (): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = {}
  if (isTracing) propagation.inject(context.active(), headers)
  return headers
}

/** Begins what lives on after the span that is active, so that all it ever does would be in that trace. */
export const outsideSpans = <T>(begin: () => T): T =>
  isTracing ? context.with(ROOT_CONTEXT, begin) : begin()

const contextOf = (traceparent: string | null): Context => {
  if (traceparent === null) return ROOT_CONTEXT
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-')
  const traceFlags = Number.parseInt(flags, 16)
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}

/** A request's span, and what goes on within it. */
export interface RequestSpan {
  within(run: () => void): void
  end(attributes: Attributes, statusCode: number): void
}

/** The span of a request, in the trace that its headers name; null where nobody traces. */
export const startRequestSpan = (
  name: string,
  headers: Readonly<Record<string, unknown>>,
  attributes: Attributes,
): RequestSpan | null => {
  if (!isTracing) return null
  const parent = propagation.extract(ROOT_CONTEXT, headers)
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
  const own = trace.setSpan(parent, span)
  return {
    within: run => context.with(own, run),
    end: (more, statusCode) => {
      span.setAttributes(more)
      if (statusCode >= 500) failed(span, String(statusCode))
      span.end()
    },
  }
}
