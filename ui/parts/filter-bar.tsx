import type { ComponentChildren } from 'preact'
import { go, location_ } from '../router.ts'
import { withQuery } from '../with-query.ts'

/** What the address asks for by that name; '' for nothing. */
export const asked = (name: string): string => location_.value.searchParams.get(name) ?? ''

/**
 * Filters stand in the address alone, so that a link shows the same to another and Back leads to the list as it was. `read` makes
 * them of the fields of the form.
 */
export const FilterBar = ({
  read = fields => fields,
  children,
}: {
  readonly read?: (fields: Readonly<Record<string, string>>) => Readonly<Record<string, string | null>>
  readonly children: ComponentChildren
}) => {
  const { pathname, search } = location_.value
  const apply = (form: HTMLFormElement): void => {
    const fields = Object.fromEntries(
      [...new FormData(form)].map(([name, value]) => [name, String(value).trim()]),
    )
    go(withQuery(pathname, read(fields)))
  }
  return (
    <search>
      <form
        key={search}
        class="filters"
        aria-label="Filters"
        onSubmit={event => {
          event.preventDefault()
          apply(event.currentTarget)
        }}
        onChange={event => {
          // A choice counts at once; what is written counts with Enter.
          if (event.target instanceof HTMLSelectElement) apply(event.currentTarget)
        }}
      >
        {children}
        <p class="buttons">
          <button type="submit">Show</button>
          {search !== '' && (
            <a class="button" href={pathname}>
              Clear
            </a>
          )}
        </p>
      </form>
    </search>
  )
}

export const Choice = ({
  name,
  label,
  of,
  all = 'all',
}: {
  readonly name: string
  readonly label: string
  readonly of: readonly (string | readonly [value: string, word: string])[]
  readonly all?: string
}) => (
  <label>
    {label}
    <select name={name} value={asked(name)}>
      <option value="">{all}</option>
      {of.map(each => {
        const [value, word] = typeof each === 'string' ? [each, each.replaceAll('_', ' ')] : each
        return (
          <option key={value} value={value} selected={value === asked(name)}>
            {word}
          </option>
        )
      })}
    </select>
  </label>
)

export const Entry = (props: {
  readonly name: string
  readonly label: string
  readonly value?: string
  readonly placeholder?: string
}) => {
  const { name, label, value = asked(name), placeholder } = props
  return (
    <label>
      {label}
      <input name={name} defaultValue={value} placeholder={placeholder} autocomplete="off" />
    </label>
  )
}

/** A moment by the clock of the page's zone, as fields of forms write it. */
export const Moment = (props: { readonly name: string; readonly label: string; readonly value: string }) => (
  <label>
    {props.label}
    <input name={props.name} type="datetime-local" defaultValue={props.value} />
  </label>
)

/** A day of the page's zone. */
export const Day = (props: { readonly name: string; readonly label: string; readonly value: string }) => (
  <label>
    {props.label}
    <input name={props.name} type="date" defaultValue={props.value} />
  </label>
)
