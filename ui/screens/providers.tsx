import { Loading } from '../parts/panel.tsx'
import { ProviderTable } from '../parts/provider-table.tsx'
import { providers } from '../store.ts'

/** What is away, since when, and why? */
export const Providers = () => {
  if (providers.value === null) return <Loading />
  return <ProviderTable title="All providers" providers={providers.value} />
}
