import { InvalidArgumentError } from 'commander'

/** How many of a list, as the API takes it. */
export const asLimit = (text: string): string => {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > 100) {
    throw new InvalidArgumentError('It must be 1 to 100.')
  }
  return text
}
