import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { type Effort, nearestEffort } from '../formats/effort.ts'
import { dropSilently, type FieldRule, keep, leaveOut } from '../formats/field-rules.ts'
import type { Supported } from '../formats/supported.ts'

interface OpenaiModel {
  /** Such models take no sampling parameters, unless the request turns thinking off. */
  readonly reasons: boolean
  readonly samplesWithoutThought: boolean
  /** Unknown for models whose efforts are documented nowhere. */
  readonly efforts: readonly Effort[] | undefined
  /** Whether it may think while it has tools, in chat completions. */
  readonly thinksWithTools: boolean
}

const plain: OpenaiModel = {
  reasons: false,
  samplesWithoutThought: false,
  efforts: [],
  thinksWithTools: true,
}

const gpt5Efforts = (minor: number): readonly Effort[] => {
  if (minor === 0) return ['minimal', 'low', 'medium', 'high']
  if (minor === 1) return ['none', 'low', 'medium', 'high']
  return ['none', 'low', 'medium', 'high', 'xhigh']
}

const isStandard = (variant: string): boolean =>
  /^(?:|(?:mini|nano|sol|luna|terra)(?:-\d{4}-\d{2}-\d{2})?|\d{4}-\d{2}-\d{2})$/.test(variant)

const configurable = /^gpt-6(?:\.1-terra|-luna|-sol)$/

const gptModel = (name: string, major: number, minor: number | undefined, variant: string): OpenaiModel => {
  if (major < 5 || (minor === undefined && variant.startsWith('chat'))) return plain
  if (major === 5) {
    return {
      reasons: true,
      samplesWithoutThought: (minor ?? 0) >= 1,
      efforts: isStandard(variant) ? gpt5Efforts(minor ?? 0) : undefined,
      thinksWithTools: (minor ?? 0) < 6,
    }
  }
  const isConfigurable = configurable.test(name)
  return {
    reasons: true,
    samplesWithoutThought: isConfigurable,
    efforts: [...(isConfigurable ? (['none'] as const) : []), 'low', 'medium', 'high', 'xhigh'],
    thinksWithTools: true,
  }
}

/**
 * By the rules of OpenAI's names. `reasons`: as the config has it, for deployments with names of their own.
 */
const openaiModel = (name: string, reasons: boolean | undefined): OpenaiModel => {
  const [, major, minor, variant = ''] = /^gpt-(\d+)(?:\.(\d+))?(?:-(.+))?$/.exec(name) ?? []
  const byName = /^o\d+(?:-|$)/.test(name)
    ? { ...plain, reasons: true, efforts: undefined }
    : major === undefined
      ? plain
      : gptModel(name, Number(major), minor === undefined ? undefined : Number(minor), variant)
  if (reasons === undefined || reasons === byName.reasons) return byName
  return reasons ? { ...plain, reasons: true, efforts: undefined } : plain
}

const hasTools = ({ tools }: JsonObject): boolean => Array.isArray(tools) && tools.length > 0

const effortFor =
  ({ efforts, thinksWithTools }: OpenaiModel): FieldRule =>
  (value, body) => {
    if (value !== 'none' && !thinksWithTools && hasTools(body)) return leaveOut(value, body)
    if (efforts) return nearestEffort(efforts)(value, body)
    // Nobody takes the highest in chat completions.
    return value === 'max' ? { action: 'lowered', value: 'xhigh' } : null
  }

const effortIn = ({ output_config, reasoning_effort }: JsonObject): unknown =>
  reasoning_effort ?? (isJsonObject(output_config) ? output_config.effort : undefined)

const samplingFor = (model: OpenaiModel): FieldRule => {
  if (!model.reasons) return keep
  return (value, body) => {
    const isThoughtless = effortIn(body) === 'none' || (!model.thinksWithTools && hasTools(body))
    if (model.samplesWithoutThought && isThoughtless) return null
    return value === 1 ? dropSilently : leaveOut(value, body)
  }
}

/** What OpenAI's models can be told, by name or by the config's word. */
export const openaiSteering = (
  name: string,
  reasons: boolean | undefined,
): Pick<Supported, 'temperature' | 'topP' | 'effort'> => {
  const model = openaiModel(name, reasons)
  const sampling = /^gpt-4o(?:-mini)?-search-preview/.test(name) ? leaveOut : samplingFor(model)
  return { temperature: sampling, topP: samplingFor(model), effort: effortFor(model) }
}
