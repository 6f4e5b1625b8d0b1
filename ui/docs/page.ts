// Swagger UI is a script that leaves its name in the window: it is not bundled with this one, and stays as its makers tested it.
export {}

/** What `swagger-ui-bundle.js` leaves in the window. Of its settings, those that are used. */
interface SwaggerUi {
  preauthorizeApiKey(scheme: string, key: string): void
}

declare const SwaggerUIBundle: (settings: {
  readonly spec: object
  readonly domNode: HTMLElement
  readonly deepLinking: boolean
  readonly docExpansion: 'list'
  readonly defaultModelsExpandDepth: number
  readonly filter: boolean
  /** The page of its makers that checks documents, which would be sent them. */
  readonly validatorUrl: null
  readonly onComplete: () => void
}) => SwaggerUi

const form = document.querySelector<HTMLFormElement>('#key')!
const status = form.querySelector('[role=status]')!
const place = document.querySelector<HTMLElement>('#reference')!

const dark = matchMedia('(prefers-color-scheme: dark)')
const paint = (): void => void document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', paint)
paint()

/** Shows the description; the key stays in this page, for the requests that are tried from it. */
const show = (description: object, key: string | null): void => {
  form.hidden = true
  const ui = SwaggerUIBundle({
    // Requests go to where this page is, whatever address the server is known by elsewhere.
    spec: { ...description, servers: [{ url: location.origin }] },
    domNode: place,
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    filter: true,
    validatorUrl: null,
    onComplete: () => {
      if (key !== null) ui.preauthorizeApiKey('bearer', key)
    },
  })
}

const load = async (key: string | null): Promise<void> => {
  const response = await fetch('/openapi.json', {
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
  })
  if (response.ok) return show(await response.json(), key)
  const { error } = await response.json()
  if (response.status === 401 && key === null) {
    place.replaceChildren()
    form.hidden = false
    form.querySelector('input')!.focus()
  } else status.textContent = error.message
}

const fail = (error: Error): void => {
  form.hidden = false
  status.textContent = `The server does not answer: ${error.message}`
}

form.addEventListener('submit', event => {
  event.preventDefault()
  load(new FormData(form).get('key') as string).catch(fail)
})
load(null).catch(fail)
