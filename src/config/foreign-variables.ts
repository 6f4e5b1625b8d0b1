/** Variables of the environment as other programs, shells and templates write them; each the whole of a value. */
const forms: readonly RegExp[] = [
  // LiteLLM
  /^os\.environ(?:\/|\[['"])([A-Za-z_]\w*)(?:['"]\])?$/,
  /^(?:env|ENV)[:./]([A-Za-z_]\w*)$/,
  /^process\.env\.([A-Za-z_]\w*)$/,
  // Shells, of Unix and of Windows; lower case may be a password.
  /^\$([A-Z_][A-Z0-9_]*)$/,
  /^%([A-Z_][A-Z0-9_]*)%$/,
  // Templates: Helm's, Jinja's, GitHub's, Continue's.
  /^\$?\{\{\s*(?:\.?env\.|secrets\.)?([A-Za-z_]\w*)\s*\}\}$/,
  /^\$\{(?:env|secrets|ENV)[.:]([A-Za-z_]\w*)\}$/,
  /^\$\{([A-Za-z_]\w*)(?:-|:=|=|\|)[^}]*\}$/,
  /^<([A-Z_]+_(?:KEY|TOKEN|SECRET))>$/,
]

/** The form of here for a value that was meant as a variable; undefined for all others. */
export const meantVariable = (text: string): string | undefined => {
  for (const form of forms) {
    const name = form.exec(text.trim())?.[1]
    if (name !== undefined) return `\${${name}}`
  }
  return undefined
}
