import { go } from '../router.ts'
import { session } from '../store.ts'
import { withQuery } from '../with-query.ts'

const filters = ['status', 'route', 'provider', 'batch', 'code', 'tenant']

/** Where what was written leads: an id to its page, a provider's name to its own, `key:value` to the jobs that have it. */
export const placeOf = (text: string, providers: readonly string[]): string | null => {
  const asked = text.trim()
  if (/^job_\w+$/.test(asked)) return `/ui/jobs/${asked}`
  if (/^(?:msg)?batch_\w+$/.test(asked)) return `/ui/batches/${asked}`
  if (providers.includes(asked)) return `/ui/providers/${encodeURIComponent(asked)}`
  const [, key, value] = /^([^:\s]+):\s*(.+)$/.exec(asked) ?? []
  if (key === undefined || value === undefined) return null
  return withQuery('/ui/jobs', {
    [filters.includes(key) ? key : `meta.${key.replace(/^meta\./, '')}`]: value,
  })
}

export const Search = () => (
  <search>
    <form
      onSubmit={event => {
        event.preventDefault()
        const field = event.currentTarget.querySelector('input')!
        const place = placeOf(field.value, session.value?.facets.providers ?? [])
        field.setCustomValidity(place === null ? 'An id of a job or batch, a provider, or key:value' : '')
        if (place === null) return field.reportValidity()
        field.value = ''
        go(place)
      }}
    >
      <input
        id="search"
        type="search"
        aria-label="Search"
        placeholder="Id, provider, key:value"
        autocomplete="off"
        onInput={event => event.currentTarget.setCustomValidity('')}
      />
    </form>
  </search>
)
