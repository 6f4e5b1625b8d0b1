import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { type Effort, effortOf, efforts, limitOf, nearestEffort } from '../formats/effort.ts'
import { clamp, dropSilently, type FieldRule, keep, leaveOut } from '../formats/field-rules.ts'
import type { Supported } from '../formats/supported.ts'

/** What sets Claude's models apart, by Anthropic's documentation of each. */
export interface ClaudeModel {
  /** Whether it takes `temperature`, `top_p` and `top_k` at all. */
  readonly samples: boolean
  /** `adaptive`: a request sets the effort of thinking; `budget`: it sets how many tokens that may take. */
  readonly thinks: 'adaptive' | 'budget' | 'never'
  readonly efforts: readonly Effort[]
  /** Whether it can be made to call a tool. */
  readonly isForced: boolean
  /** Whether an answer can be bound to a JSON schema, and a call to that of its tool. */
  readonly hasSchemas: boolean
  /** The longest answer; unknown for a model that is not known. */
  readonly maxTokens: number | undefined
}

const budgetEfforts = efforts
const adaptiveEfforts: readonly Effort[] = ['none', 'low', 'medium', 'high', 'max']
const newestEfforts: readonly Effort[] = ['none', 'low', 'medium', 'high', 'xhigh', 'max']
const alwaysThinking: readonly Effort[] = ['low', 'medium', 'high', 'xhigh', 'max']

const old = (maxTokens: number): ClaudeModel => ({
  samples: true,
  thinks: 'never',
  efforts: ['none'],
  isForced: true,
  hasSchemas: false,
  maxTokens,
})

const budgeted = (maxTokens: number, hasSchemas: boolean): ClaudeModel => ({
  ...old(maxTokens),
  thinks: 'budget',
  efforts: budgetEfforts,
  hasSchemas,
})

const adaptive: ClaudeModel = {
  samples: true,
  thinks: 'adaptive',
  efforts: adaptiveEfforts,
  isForced: true,
  hasSchemas: true,
  maxTokens: 128_000,
}
const newest: ClaudeModel = { ...adaptive, samples: false, efforts: newestEfforts }
const restless: ClaudeModel = { ...newest, efforts: alwaysThinking }

/** The first that fits counts. Names are matched within, as clouds put theirs around them. */
const models: readonly (readonly [name: RegExp, model: ClaudeModel])[] = [
  [/claude-(?:sonnet|opus)-5-5|claude-fable-5-[12]/, { ...restless, isForced: false }],
  [/claude-fable-5/, restless],
  [/claude-(?:opus|sonnet|haiku)-5|claude-opus-4-[78]/, newest],
  [/claude-(?:sonnet|opus)-4-6/, adaptive],
  [/claude-(?:sonnet|opus|haiku)-4-5/, budgeted(64_000, true)],
  [/claude-opus-4-1/, budgeted(32_000, true)],
  [/claude-sonnet-4(?:[-@]|$)/, budgeted(64_000, false)],
  [/claude-opus-4(?:[-@]|$)/, budgeted(32_000, false)],
  [/claude-3-7/, budgeted(64_000, false)],
  [/claude-3-5/, old(8_192)],
  [/claude-(?:3|v?2|instant)(?=$|[-.:])/, old(4_096)],
  // A name of Anthropic's that is newer than this table.
  [/claude-/, { ...newest, maxTokens: undefined }],
]

/** `reasons`: as the config has it, for names that say nothing. */
export const claudeModel = (name: string, reasons: boolean | undefined): ClaudeModel => {
  const found = models.find(([pattern]) => pattern.test(name))?.[1] ?? { ...old(0), maxTokens: undefined }
  if (reasons === false) return { ...found, thinks: 'never', efforts: ['none'] }
  return reasons && found.thinks === 'never' ? { ...found, thinks: 'budget', efforts: budgetEfforts } : found
}

/** What a budget takes at least, and what it must leave for the answer. */
const leastBudget = 1_024

const shares: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 0.02,
  low: 0.1,
  medium: 0.3,
  high: 0.6,
  xhigh: 0.9,
  max: 0.95,
}

/** How many of the `limit` tokens of an answer may go into thought; the limit holds for both together. */
export const thinkingBudget = (effort: Effort, limit: number, model: ClaudeModel): number =>
  Math.min(
    Math.max(leastBudget, Math.round((model.maxTokens ?? limit) * shares[effort])),
    Math.max(leastBudget, limit - leastBudget),
  )

/** Whether the model is made to call a tool, by a request of either format. */
const isForcing = ({ tool_choice: choice }: JsonObject): boolean =>
  choice === 'required' || (isJsonObject(choice) && !['auto', 'none'].includes(String(choice.type)))

const asksForSchema = ({ response_format, output_config }: JsonObject): boolean =>
  (isJsonObject(response_format) && response_format.type === 'json_schema') ||
  (isJsonObject(output_config) && isJsonObject(output_config.format))

/** What a budget for thought does not go together with: too short an answer, and a call that is forced. */
const leavesNoThought = (body: JsonObject, model: ClaudeModel): boolean =>
  (limitOf(body) ?? Number.POSITIVE_INFINITY) < 2 * leastBudget ||
  isForcing(body) ||
  // Without schemas of their own, answers are bound by a call that is forced.
  (!model.hasSchemas && asksForSchema(body))

const effortFor =
  (model: ClaudeModel): FieldRule =>
  (value, body) => {
    if (model.thinks === 'budget' && value !== 'none' && leavesNoThought(body, model)) {
      return { action: 'left_out' }
    }
    return nearestEffort(model.efforts)(value, body)
  }

const isThinking = (body: JsonObject, model: ClaudeModel): boolean => {
  if (isJsonObject(body.thinking) && typeof body.thinking.budget_tokens === 'number') {
    return model.thinks === 'budget'
  }
  const effort = effortOf(body)
  if (effort === undefined || effort === 'none') return false
  const change = effortFor(model)(effort, body)
  return change === null || change.value !== undefined
}

/**
 * Sampling is for models that take it, while they do not think. Of the others 1 is accepted, or what they do
 * anyway: it says nothing.
 */
const sampling =
  (model: ClaudeModel, rule: FieldRule): FieldRule =>
  (value, body) => {
    if (model.samples && !isThinking(body, model)) return rule(value, body)
    return value === 1 ? dropSilently : leaveOut(value, body)
  }

const besideTemperature: FieldRule = (value, body) => {
  if (body.temperature === undefined || body.temperature === null) return null
  return value === 1 ? dropSilently : leaveOut(value, body)
}

/** What all of the ways to Claude share. */
export const claudeSteering = (
  model: ClaudeModel,
): Pick<Supported, 'temperature' | 'topP' | 'effort' | 'maxTokens' | 'forcedTools'> => ({
  temperature: sampling(model, clamp(0, 1)),
  // One of `temperature` and `top_p`, not both; a `top_p` of 1 says nothing.
  topP: sampling(model, besideTemperature),
  effort: effortFor(model),
  maxTokens: model.maxTokens === undefined ? keep : atMostTokens(model.maxTokens),
  forcedTools: model.isForced,
})

const atMostTokens =
  (most: number): FieldRule =>
  value =>
    typeof value === 'number' && value > most ? { action: 'lowered', value: most } : null
