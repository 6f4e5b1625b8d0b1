import { chromium } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { obtainChromium } from '../../harness/obtain-chromium.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    browserUrl: string
  }
}

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** One Chromium for all tests of the page; tabs keep apart by their contexts. Vitest calls the default export. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await chromium.launchServer({ executablePath: await obtainChromium(), headless: true, args })
  project.provide('browserUrl', server.wsEndpoint())
  return () => server.close()
}
