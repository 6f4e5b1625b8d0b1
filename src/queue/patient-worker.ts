import { setTimeout as delay } from 'node:timers/promises'
import { type Job, Worker } from 'bullmq'

const refusedPauseMs = 500

/**
 * BullMQ asks for work again at once when Redis refuses to give any, because it is full or has too few replicas: thousands
 * of times a second. This one takes a breath.
 */
export class PatientWorker extends Worker {
  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    try {
      return await super.moveToActive(token, name)
    } catch (error) {
      await delay(refusedPauseMs)
      throw error
    }
  }
}
