import { expect, test } from 'vitest'
import { hasModel } from '../../../src/domain/routing/listed-models.ts'

const listed = ['claude-sonnet-4-5-20250929', 'gpt-4o-2024-11-20', 'llama3:latest', 'gpt-4o-mini', 'sonar']

test.each([
  ['sonar', true],
  ['claude-sonnet-4-5', true],
  ['gpt-4o', true],
  ['llama3', true],
  ['arn:aws:bedrock:us-east-1:123456789012:imported-model/m1', true],
  ['endpoints/123', true],
  ['claude-sonnet-4', false],
  ['gpt-4', false],
  ['gpt-4o-2024-11-2', false],
  ['llama', false],
  ['', false],
])('a list of models has %s: %s', (model, expected) => {
  expect(hasModel(listed, model)).toBe(expected)
})
