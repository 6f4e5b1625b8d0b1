import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

// Sends Baton's traces to a collector: each process is started with NODE_OPTIONS="--import ./examples/tracing.ts". The collector is
// where OTEL_EXPORTER_OTLP_ENDPOINT says, http://localhost:4318 without it. Baton itself needs none of these packages:
// npm install @opentelemetry/{context-async-hooks,core,exporter-trace-otlp-http,resources,sdk-trace}

const processor = new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), scheduledDelayMillis: 1_000 })
const provider = new TracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME ?? 'baton' }),
  spanProcessors: [processor],
})

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
trace.setGlobalTracerProvider(provider)

// A process that ends sends what it still has.
process.once('beforeExit', () => void provider.shutdown())
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void provider.forceFlush())
