import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AbstractConnector } from 'ioredis'
import type { ClusterPlace } from './place.ts'

const disconnectTimeoutMs = 500

/**
 * For ioredis: connects to any of a Cluster's named nodes, to the next one each time. All of them hear what is
 * published on one. ioredis's own way for subscriptions tells nobody when it had to change the node, and what was
 * published meanwhile is lost: this way it is a connection like any other, with its `ready`.
 */
export const anyNodeConnector = ({ nodes, tls }: ClusterPlace) => {
  // Processes should not all listen at the same node.
  let next = Math.floor(Math.random() * nodes.length)

  return class AnyNodeConnector extends AbstractConnector {
    constructor() {
      super(disconnectTimeoutMs)
    }

    async connect(): Promise<Socket> {
      this.connecting = true
      const { host, port } = nodes[next++ % nodes.length]!
      const stream = tls ? connectTls({ host, port }) : connectPlain({ host, port })
      stream.once('error', error => {
        this.firstError = error
      })
      this.stream = stream
      return stream
    }
  }
}
