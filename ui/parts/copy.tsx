import { announce } from './announce.tsx'

/** Puts a name into the clipboard, which browsers allow on TLS and on this machine. */
export const Copy = ({ text }: { readonly text: string }) => {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      announce('Copied.')
    } catch {
      announce('The browser does not let this page copy.')
    }
  }
  return (
    <button type="button" class="copy" onClick={copy} aria-label={`Copy ${text}`}>
      Copy
    </button>
  )
}
