/** Cuts what must stay secret out of a text that came from outside. */
export type Redact = (text: string) => string

const mark = '[redacted]'
/**
 * A part of a secret that is this long is found wherever a sender has cut the text; one twice as long, but
 * for a character.
 */
const seedLength = 8
/**
 * Shorter secrets are placeholders of local servers ("none", "test") or plain words: cutting them would
 * garble texts.
 */
const shortest = 4
/** In a longer text only whole secrets are looked for: a provider's error is no longer than this. */
const longText = 64 * 1024

const percent = (text: string): string =>
  [...Buffer.from(text)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')

/**
 * Base64 of the secret at each offset in a longer text, without the characters that depend on its neighbours.
 */
const base64Of = (secret: string): string[] => {
  const bytes = Buffer.from(secret)
  return [0, 1, 2].map(offset => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const isWhole = (offset + bytes.length) % 3 === 0
    return encoded.slice(offset === 0 ? 0 : offset + 1, isWhole ? undefined : -1)
  })
}

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** A secret in every form in which a server may write it back. */
const formsOf = (secret: string): readonly string[] => {
  const json = JSON.stringify(secret).slice(1, -1)
  const url = encodeURIComponent(secret)
  const unicode = json.replace(/[<>&]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const base64 = secret.length < seedLength ? [] : base64Of(secret)
  return [
    secret,
    json,
    unicode,
    json.replaceAll('/', '\\/'),
    url,
    url.replace(/%[0-9A-F]{2}/g, hex => hex.toLowerCase()),
    encodeURI(secret),
    percent(secret),
    percent(secret).toUpperCase(),
    escapeHtml(secret),
    escapeHtml(secret).replaceAll("'", '&#39;'),
    ...base64,
    ...base64.map(text => text.replaceAll('+', '-').replaceAll('/', '_')),
    ...base64.map(text => encodeURIComponent(text)),
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('hex').toUpperCase(),
  ]
}

/** A short secret is cut only as a whole word: "key-1" within "monkey-123" is no secret. */
const isShort = (form: string): boolean => form.length < seedLength
const isWorthCutting = (form: string): boolean =>
  form.length >= seedLength || (form.length >= shortest && /\d/.test(form))

interface Span {
  readonly start: number
  readonly end: number
}

const isWordAt = (text: string, at: number): boolean => /[A-Za-z0-9]/.test(text[at] ?? '')

const wholeSpans = (text: string, form: string): Span[] => {
  const spans: Span[] = []
  for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + form.length)) {
    const end = at + form.length
    if (!isShort(form) || !(isWordAt(text, at - 1) || isWordAt(text, end))) spans.push({ start: at, end })
  }
  return spans
}

/** Extends each match of a seed to both sides, as far as the text equals the form. */
const partSpans = (text: string, form: string): Span[] => {
  const spans: Span[] = []
  for (let seedAt = 0; seedAt + seedLength <= form.length; seedAt += seedLength) {
    const seed = form.slice(seedAt, seedAt + seedLength)
    for (let at = text.indexOf(seed); at !== -1; at = text.indexOf(seed, at + 1)) {
      let [start, end] = [at, at + seedLength]
      while (start > 0 && at - start < seedAt && text[start - 1] === form[seedAt - (at - start) - 1])
        start -= 1
      while (end < text.length && text[end] === form[seedAt + (end - at)]) end += 1
      const length = end - start
      // A seed alone may be a common word: "anthropic" in the name of a header.
      if (length === form.length || length >= Math.min(form.length, 2 * seedLength - 1))
        spans.push({ start, end })
    }
  }
  return spans
}

const isEscaped = (text: string, at: number): boolean => {
  let slashes = 0
  while (text[at - 1 - slashes] === '\\') slashes += 1
  return slashes % 2 === 1
}

/** So that JSON stays JSON, no escape is cut in two. */
const withWholeEscapes = (text: string, { start, end }: Span): Span => ({
  start: isEscaped(text, start) ? start - 1 : start,
  end: isEscaped(text, end) ? end + (text[end] === 'u' ? 5 : 1) : end,
})

const cut = (text: string, spans: readonly Span[]): string => {
  if (spans.length === 0) return text
  let done = ''
  let at = 0
  for (const { start, end } of spans
    .map(span => withWholeEscapes(text, span))
    .sort((a, b) => a.start - b.start)) {
    if (end <= at) continue
    if (start >= at) done += text.slice(at, start) + mark
    at = end
  }
  return done + text.slice(at)
}

/** A digit or its length distinguishes a key from a word of a sentence ("a Bearer authentication header"). */
const looksLikeKey = (text: string): boolean => /\d/.test(text) || text.length >= 24

// Each of these finds its end, or fails, in one look at every character: a provider may answer with megabytes
// of spaces.
const schemes = /\b(Bearer|Basic|Token)((?:\s|%20|\+)+)([A-Za-z0-9._~+/=%*-]{8,4000})/gi
const headers =
  /\b((?:proxy-)?authorization|x-api-key|api-key|x-goog-api-key|ocp-apim-subscription-key|x-auth-token|x-amz-security-token|(?:set-)?cookie)([\\"']*\s*[:=][\s[\\"']*)((?:(?:Bearer|Basic|Token)\s+)?[^\s"'\\,<>}\]]{8,4000})/gi
/** As the vendors begin their keys; with the asterisks of those who mask the middle. */
const prefixed =
  /(?<![A-Za-z0-9])(?:(?:sk|pk|rk|gsk|csk|xai|nvapi|pplx|whsec|hf|r8)[-_][A-Za-z0-9_*.\u2022\u2026-]{6,400}|AIza[\w-]{16,100}|ya29\.[\w.-]{10,2000}|A[KS]IA[A-Z0-9]{12,40})/g
const signed = /(?<![A-Za-z0-9])eyJ[\w.-]{17,12000}/g
/** A key that the author of the text has masked still shows its ends. */
const masked =
  /(?<![\w-])[\w-]{2,80}(?:\*{3,}|\u2022{3,})[\w-]{0,80}|(?<![*\u2022])(?:\*{3,}|\u2022{3,})[\w-]{2,80}/g

const cutGeneric = (text: string): string =>
  text
    .replace(headers, (_, name: string, between: string) => `${name}${between}${mark}`)
    .replace(schemes, (all, scheme: string, between: string, key: string) =>
      looksLikeKey(key) ? `${scheme}${between}${mark}` : all,
    )
    .replace(prefixed, mark)
    .replace(signed, token => (/\.[\w-]{8}/.test(token) ? mark : token))
    .replace(masked, mark)

/**
 * `secrets`: those of the config. They are found in each usual encoding, whole or cut off, and so is what
 * looks like a key.
 */
export const createRedact = (secrets: readonly string[]): Redact => {
  const forms = [...new Set(secrets.flatMap(formsOf))]
    .filter(isWorthCutting)
    .sort((a, b) => b.length - a.length)
  return text => {
    const spansOf = text.length > longText ? wholeSpans : null
    const spans = forms.flatMap(form => (spansOf ?? (isShort(form) ? wholeSpans : partSpans))(text, form))
    return cutGeneric(cut(text, spans))
  }
}
