import { z } from 'zod'
import { messageBatch } from '../batches/message-batch-openapi.ts'
import { batch } from '../batches/openapi.ts'
import { jobSummary } from '../jobs/openapi.ts'
import { ignoredBodyErrors, jsonBodyErrors } from '../openapi/error-sets.ts'
import type { Operations } from '../openapi/operation.ts'
import { idOf } from '../openapi/request-headers.ts'
import { receiverOperations } from './receiver-openapi.ts'
import {
  alive,
  deadLetterList,
  description,
  mirrorList,
  mirrorPairList,
  notReady,
  provider,
  providerList,
  ready,
  reloaded,
  routeList,
  scaling,
} from './response-schemas.ts'

const providerName = z.object({ name: z.string().meta({ description: 'As in the config.' }) })

export const operatorOperations: Operations = {
  'GET /v1/providers': {
    id: 'listProviders',
    summary: "Show each provider's state, queue and workers",
    tag: 'Operation',
    responses: { 200: { description: 'The providers.', schema: providerList } },
    errors: [],
  },
  'GET /v1/scaling/:provider': {
    id: 'readScaling',
    summary: 'Say how many worker processes a provider wants',
    tag: 'Operation',
    params: z.object({ provider: z.string().meta({ description: 'As in the config.' }) }),
    responses: { 200: { description: 'The number, and what it is reckoned from.', schema: scaling } },
    errors: ['provider_not_found'],
  },
  'GET /v1/routes': {
    id: 'listRoutes',
    summary: 'Show how each route chooses, and what is known of its targets',
    tag: 'Operation',
    responses: { 200: { description: 'The routes, their targets in the order of now.', schema: routeList } },
    errors: [],
    isLocal: true,
  },
  'POST /v1/providers/:name/pause': {
    id: 'pauseProvider',
    summary: 'Keep a provider out of use until it is resumed',
    tag: 'Operation',
    params: providerName,
    body: z.object({
      note: z.string().max(500).nullish().meta({ description: 'Why, for other operators to read.' }),
    }),
    bodyIsOptional: true,
    responses: { 200: { description: 'The provider.', schema: provider } },
    errors: ['provider_not_found', ...jsonBodyErrors],
  },
  'POST /v1/providers/:name/resume': {
    id: 'resumeProvider',
    summary: 'Try a provider again now, whatever kept it out of use',
    tag: 'Operation',
    params: providerName,
    responses: { 200: { description: 'The provider.', schema: provider } },
    errors: ['provider_not_found', ...ignoredBodyErrors],
  },
  'GET /v1/admin/reload': {
    id: 'previewReload',
    summary: 'Tell what a reload would change in the process that is asked',
    tag: 'Operation',
    responses: {
      200: { description: 'The config that would serve, and what would change.', schema: reloaded },
    },
    errors: ['config_refused'],
  },
  'POST /v1/admin/reload': {
    id: 'reloadConfig',
    summary: 'Let all processes read their config anew',
    tag: 'Operation',
    responses: { 200: { description: 'The config that serves now, and what changed.', schema: reloaded } },
    errors: ['config_refused', ...ignoredBodyErrors],
  },
  'GET /metrics': {
    id: 'readMetrics',
    summary: 'Read figures, in the text format of Prometheus',
    tag: 'Operation',
    responses: { 200: { description: 'The figures.', schema: z.string(), type: 'text/plain' } },
    errors: [],
  },
  'GET /v1/mirrors': {
    id: 'listMirrors',
    summary: "Compare the answers of each route's mirror with the route's own",
    tag: 'Operation',
    responses: { 200: { description: 'The mirrors of the config.', schema: mirrorList } },
    errors: [],
  },
  'GET /v1/mirrors/:route/pairs': {
    id: 'listMirrorPairs',
    summary: "Read the last answers of a route's mirror that differed from the route's own",
    tag: 'Operation',
    params: z.object({
      route: z.string().meta({ description: 'The name of a route that has a mirror, percent-encoded.' }),
    }),
    responses: {
      200: {
        description:
          "Pairs of answers to jobs of the key's tenant, newest first; none unless `keep_pairs` is set.",
        schema: mirrorPairList,
      },
    },
    errors: ['mirror_not_found'],
  },
  'GET /v1/dead-letters': {
    id: 'listDeadLetters',
    summary: 'List webhooks that were given up, newest first',
    tag: 'Operation',
    responses: { 200: { description: 'Dead letters.', schema: deadLetterList } },
    errors: ['invalid_request', 'invalid_cursor', 'permission_denied'],
  },
  ...receiverOperations,
  'POST /v1/dead-letters/:id/redeliver': {
    id: 'redeliver',
    summary: 'Send a webhook that was given up again',
    tag: 'Operation',
    params: idOf('a job or a batch'),
    responses: {
      202: { description: 'The job or batch.', schema: z.union([jobSummary, batch, messageBatch]) },
    },
    errors: ['delivery_not_found', 'batch_not_found', 'job_not_found', ...ignoredBodyErrors],
  },
  'GET /openapi.json': {
    id: 'describe',
    summary: 'This description',
    tag: 'Operation',
    responses: { 200: { description: 'OpenAPI 3.1.', schema: description } },
    errors: [],
    isLocal: true,
  },
  'GET /healthz': {
    id: 'isAlive',
    summary: 'Tell whether the process lives',
    tag: 'Operation',
    responses: { 200: { description: 'It does.', schema: alive } },
    errors: ['host_forbidden'],
    isOpen: true,
    isLocal: true,
  },
  'GET /readyz': {
    id: 'isReady',
    summary: 'Tell whether it can take jobs',
    tag: 'Operation',
    responses: {
      200: { description: 'It can.', schema: ready },
      503: { description: 'It cannot now.', schema: notReady },
    },
    errors: ['host_forbidden'],
    isOpen: true,
    isLocal: true,
  },
}
