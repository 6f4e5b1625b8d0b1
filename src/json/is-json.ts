/** To any depth. The engine's own message quotes the text, so it goes no further. */
export const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
