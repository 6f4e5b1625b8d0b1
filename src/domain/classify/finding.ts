import type { Verdict } from './verdict.ts'

/** The part of a verdict that an answer's content decides. */
export type Finding = Pick<Verdict, 'kind' | 'reason' | 'saidStatus'>
