import { configDefaults, defineConfig } from 'vitest/config'
import base, { failovers } from './vitest.config.ts'

export default defineConfig({
  test: {
    ...base.test,
    projects: undefined,
    include: failovers,
    exclude: configDefaults.exclude,
    fileParallelism: false,
  },
})
