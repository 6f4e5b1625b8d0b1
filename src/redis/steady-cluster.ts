import type { Cluster } from 'ioredis'

/**
 * Makes `connect` settle. In ioredis (6.0.0) its promise is forgotten when nodes answer, but say that the Cluster is down:
 * it tries again, and nobody is told. BullMQ awaits that promise after an outage, and its worker was deaf from then on. Now
 * it resolves with whichever attempt succeeds; also that of a duplicate, which is what BullMQ connects.
 */
export const steady = (cluster: Cluster): Cluster => {
  const connect = cluster.connect.bind(cluster)
  const duplicate = cluster.duplicate.bind(cluster)
  cluster.connect = () =>
    new Promise((resolve, reject) => {
      cluster.once('ready', resolve)
      connect().catch(error => {
        cluster.off('ready', resolve)
        reject(error)
      })
    })
  cluster.duplicate = ((nodes, options) => steady(duplicate(nodes, options))) as Cluster['duplicate']
  return cluster
}
