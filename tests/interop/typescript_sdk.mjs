// Dome's TypeScript SDK against the simulator: run by run.sh, in a folder of its own.
// The package's root cannot be imported (it needs a package it does not declare), so its parts are, by path.
import { OrdersEndpoints } from './node_modules/@dome-api/sdk/dist/esm/endpoints/polymarket/orders-endpoints.js';
import { PolymarketWebSocketClient } from './node_modules/@dome-api/sdk/dist/esm/endpoints/polymarket/websocket-client.js';

const [A, B, C] = ['a', 'b', 'c'].map(digit => '0x' + digit.repeat(40));
const [url, dialect] = process.argv.slice(2);
const patience = 15_000;
let passed = 0;
let failed = 0;
let events = [];

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

async function call(method, path, body) {
  const response = await fetch(url + path, { method, body: body && JSON.stringify(body) });
  return response.json();
}

function execute(user, ...hashes) {
  const row = {
    token_id: '7', token_label: 'Up', side: 'BUY', market_slug: 'slug', condition_id: '0x1', shares: 5000000,
    shares_normalized: 5, price: 0.5, title: 'Title', order_hash: '0x2', user, taker: null, block_number: 1, log_index: 1,
  };
  return call('POST', '/_sim/execute', { orders: hashes.map(tx_hash => ({ ...row, tx_hash })) });
}

function check(what, holds) {
  holds ? passed++ : failed++;
  console.log(`  ${holds ? 'ok  ' : 'FAIL'} ${what}`);
}

async function until(condition) {
  const deadline = Date.now() + patience;
  while (Date.now() < deadline) {
    if (await condition()) return true;
    await sleep(20);
  }
  return false;
}

async function arrived(...hashes) {
  await until(() => events.length >= hashes.length);
  await sleep(200);
  const seen = events.map(event => event.tx_hash);
  events = [];
  return seen.join() === hashes.join();
}

async function pages(orders) {
  const hashes = [];
  let key;
  do {
    const page = await orders.getOrders({ limit: 3, ...(key && { pagination_key: key }) });
    hashes.push(...page.orders.map(order => order.tx_hash));
    key = page.pagination.has_more ? page.pagination.pagination_key : undefined;
  } while (key);
  return hashes.join() === 'b4,b3,b2,a4,b1,a3,a2,a1';
}

// The SDK takes the next message for the answer to its subscribe: Predexon's greeting must have come before.
async function connectTo(url) {
  const wsURL = url.replace('http', 'ws') + (dialect === 'predexon' ? '/v1' : '');
  const socket = new PolymarketWebSocketClient({ apiKey: 'dev-key' }, { wsURL });
  socket.on('error', () => {}); // without a listener the process would end at the first drop
  socket.on('order', order => events.push(order));
  const greeted = new Promise(resolve => socket.on('message', message => message.type === 'connected' && resolve()));
  await socket.connect();
  if (dialect === 'predexon') await greeted;
  return socket;
}

async function run() {
  const socket = await connectTo(url);
  const { subscription_id: subscription } = await socket.subscribe({ users: [A] });
  await execute(A, 'a1', 'a2', 'a3');
  await execute(B, 'b1');
  check("subscribe: the wallet's orders arrive, in order", await arrived('a1', 'a2', 'a3'));
  await socket.update(subscription, { users: [B] });
  await execute(A, 'a4');
  await execute(B, 'b2');
  check("update: acknowledged; the new wallet's orders arrive, the old one's no more", await arrived('b2'));
  await call('POST', '/_sim/faults', { kind: 'drop' });
  const again = await until(() => {
    const ids = socket.getActiveSubscriptions().map(active => active.subscription_id);
    return ids.length === 1 && ids[0] !== subscription;
  });
  check('drop: reconnects and subscribes again under a new id', again);
  await execute(B, 'b3');
  check('after the reconnect: orders arrive, once', await arrived('b3'));
  await socket.unsubscribe(socket.getActiveSubscriptions()[0].subscription_id);
  await until(async () => (await call('GET', '/_sim/stats')).subscriptions === 0); // unsubscribe does not wait
  await execute(B, 'b4');
  check('unsubscribe: nothing arrives', await arrived());
  socket.close();
  // The SDK knows no other REST path than Dome's.
  if (dialect === 'dome') check('REST: pages hold every order, newest first', await pages(new OrdersEndpoints({ apiKey: 'dev-key', baseURL: url + '/v1' })));
  const { deliveries } = await call('GET', '/_sim/book?view=deliveries');
  const reached = deliveries.filter(delivery => delivery.reached).map(delivery => delivery.order);
  check('book: it tells the five deliveries that arrived', reached.join() === '1,2,3,6,7');
  await many();
}

// Subscribe twice at once on a new socket. The SDK gives both the first ack's id; events come for both all the same.
async function many() {
  const socket = await connectTo(url);
  await Promise.all([A, B].map(user => socket.subscribe({ users: [user] })));
  await until(async () => (await call('GET', '/_sim/stats')).subscriptions === 2);
  await execute(A, 'a5');
  await execute(B, 'b5');
  check("two subscribes at once: both wallets' orders arrive", await arrived('a5', 'b5'));
  await call('POST', '/_sim/faults', { kind: 'error', error: 'RATE_LIMIT' });
  const refused = await socket.subscribe({ users: [C] }).then(() => false, () => true);
  await execute(A, 'a6');
  check('a refused subscribe: fails, and the others go on', refused && (await arrived('a6')));
  socket.close();
}

console.log(`TypeScript SDK @dome-api/sdk 1.0.2, ${dialect}`);
await run();
console.log(`TypeScript SDK, ${dialect}: ${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
