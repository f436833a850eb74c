// Follows orders and coverage: a consumer to start from.
//
//     node orders.mjs BOOTSTRAP GROUP [PREFIX]
//
// Prints a JSON line for each order and each change of coverage. Commits after printing: what is printed when it is killed
// may be printed again, so keep event_id unique wherever you keep orders.

import { Consumer, stringDeserializer } from '@platformatic/kafka'

const REMEMBERED = 100_000 // event ids; repetitions come soon after each other
const [bootstrap, group, prefix = ''] = process.argv.slice(2)
const seen = new Set()
const covered = new Map()

function onOrder(order) {
  if (seen.has(order.event_id)) return
  seen.add(order.event_id)
  if (seen.size > REMEMBERED) seen.delete(seen.values().next().value)
  say({ order: order.event_id, wallet: order.user, micros: order.notional_micros })
}

function onCoverage(wallet, value) {
  if (!value?.length) { // a tombstone
    covered.delete(wallet)
    say({ forgotten: wallet })
  } else {
    covered.set(wallet, JSON.parse(value).covered_until_ms)
    say({ covered: wallet, until_ms: covered.get(wallet) })
  }
}

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const consumer = new Consumer({
  clientId: 'walletstream-example',
  groupId: group,
  bootstrapBrokers: bootstrap.split(','),
  deserializers: { key: stringDeserializer }
})
const stream = await consumer.consume({
  topics: [`${prefix}orders.v1`, `${prefix}coverage.v1`],
  mode: 'committed',
  fallbackMode: 'earliest',
  autocommit: false,
  isolationLevel: 'READ_COMMITTED',
  maxWaitTime: 200,
  sessionTimeout: 10_000, // how long the partitions of one that was killed wait
  heartbeatInterval: 3_000
})
process.once('SIGTERM', () => stream.close())
for await (const message of stream) {
  if (message.topic.endsWith('coverage.v1')) onCoverage(message.key, message.value)
  else onOrder(JSON.parse(message.value))
  await message.commit()
}
await consumer.close()
