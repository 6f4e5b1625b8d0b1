/** What has an address of its own, which no list of models holds: an ARN of AWS, an endpoint of Vertex AI. */
const isAddress = (model: string): boolean => /^(?:arn:|endpoints\/)/.test(model)

/** What a list adds to the name that people call a model by: the date of its version, or the tag that goes without saying. */
const usualEnd = /^(?:-\d{8}|-\d{4}-\d{2}-\d{2}|:latest)$/

/** Whether a list has a model, by its own name or by one that stands for it. */
export const hasModel = (names: readonly string[], model: string): boolean =>
  isAddress(model) ||
  names.includes(model) ||
  names.some(name => name.startsWith(model) && usualEnd.test(name.slice(model.length)))
