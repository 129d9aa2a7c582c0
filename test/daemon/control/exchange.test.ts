import t from 'tap';
import { PlugdError } from '../../../agent/base/error.ts';
import type { ControlReply } from '../../../agent/daemon/control/control-protocol.ts';
import { Exchanges, type ControlExchange, type ControlHandler } from '../../../agent/daemon/control/exchange.ts';

/** A connection that the test fills and drains. */
function connection(handler: ControlHandler) {
  const sent: Array<ControlReply & { readonly last?: true }> = [];
  const state = { full: false };
  const waiting = new Set<() => void>();
  const exchanges = new Exchanges(
    {
      send: (reply, last) => sent.push(last ? { ...reply, last: true } : reply),
      full: () => state.full,
      onceDrained: (drained) => {
        waiting.add(drained);
        return () => waiting.delete(drained);
      },
    },
    handler,
  );
  return {
    exchanges,
    sent,
    waiting,
    fill: () => (state.full = true),
    drain: () => {
      state.full = false;
      for (const drained of waiting) {
        waiting.delete(drained);
        drained();
      }
    },
  };
}

/** One request whose exchange the test has in its hand. */
function one(line = '{"id":7,"command":"monitor"}') {
  const open: ControlExchange[] = [];
  const made = connection((exchange) => void open.push(exchange));
  made.exchanges.line(line);
  const [exchange] = open;
  if (exchange === undefined) throw new Error('no request');
  return { ...made, exchange };
}

/** What a handler does, and what is sent. */
const HANDLED: Record<string, readonly [handler: ControlHandler, sent: readonly unknown[]]> = {
  'items, then the answer': [
    (e) => {
      e.item(1);
      e.working();
      e.answer(2);
    },
    [
      { id: 7, item: 1 },
      { id: 7, working: true },
      { id: 7, answer: 2, last: true },
    ],
  ],
  'nothing comes after the answer': [
    (e) => {
      e.answer(1);
      e.item(2);
      e.working();
      e.answer(3);
      e.fail(new Error('x'));
    },
    [{ id: 7, answer: 1, last: true }],
  ],
  'nothing comes after an error': [
    (e) => {
      e.fail(new PlugdError('busy', 'not now', { remedy: 'later' }));
      e.answer(1);
    },
    [{ id: 7, error: { code: 'busy', message: 'not now', remedy: 'later' }, last: true }],
  ],
  'what a handler throws is the error': [
    () => {
      throw new Error('a defect');
    },
    [{ id: 7, error: { code: 'system', message: 'a defect' }, last: true }],
  ],
  'what it throws after its answer is nobody’s': [
    (e) => {
      e.answer(1);
      throw new Error('a defect');
    },
    [{ id: 7, answer: 1, last: true }],
  ],
  'what it rejects with is the error': [
    async (e) => {
      e.item(1);
      throw new PlugdError('unsupported', 'no');
    },
    [
      { id: 7, item: 1 },
      { id: 7, error: { code: 'unsupported', message: 'no' }, last: true },
    ],
  ],
  'an answer of nothing': [(e) => e.answer(undefined), [{ id: 7, answer: undefined, last: true }]],
};
for (const [name, [handler, expected]] of Object.entries(HANDLED)) {
  t.test(name, async (t) => {
    const { exchanges, sent } = connection(handler);
    exchanges.line('{"id":7,"command":"monitor"}');
    // A rejection comes a turn later.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    t.same(sent, expected);
    t.equal(exchanges.open, 0);
  });
}

t.test('ids', (t) => {
  const { exchanges, sent } = connection((exchange) => exchange.answer(1));
  for (const id of ['"id":"é\\u0000",', '"id":0,', '']) exchanges.line(`{${id}"command":"ping"}`);
  exchanges.line('{"id":5,"command":"nonsense"}');
  exchanges.line('no request at all');
  t.same(
    sent.map((reply) => [reply.id, reply.error?.code]),
    [
      ['é\u0000', undefined],
      [0, undefined],
      [undefined, undefined],
      [5, 'usage'],
      [undefined, 'usage'],
    ],
  );
  t.end();
});

t.test('a full connection: items are dropped and counted, answers are not', (t) => {
  const { exchange, sent, fill, drain, waiting } = one();
  exchange.item(1);
  fill();
  for (const n of [2, 3, 4]) exchange.item(n);
  exchange.working();
  t.same(sent, [
    { id: 7, item: 1 },
    { id: 7, working: true },
  ]);
  drain();
  exchange.item(5);
  t.same(sent.slice(2), [
    { id: 7, item: { dropped: 3 } },
    { id: 7, item: 5 },
  ]);
  fill();
  exchange.item(6);
  drain();
  t.same(sent.at(-1), { id: 7, item: { dropped: 1 } }, 'each time from nought');
  t.equal(waiting.size, 0);
  t.end();
});

const ENDS: Record<string, readonly [end: (exchange: ControlExchange) => void, reply: object]> = {
  'an answer': [(e) => e.answer('all'), { answer: 'all' }],
  'an error': [(e) => e.fail(new PlugdError('busy', 'no')), { error: { code: 'busy', message: 'no' } }],
};
for (const [name, [end, reply]] of Object.entries(ENDS)) {
  t.test(`the number of dropped items comes before ${name}`, (t) => {
    const { exchange, sent, fill, drain, waiting } = one();
    fill();
    exchange.item(1);
    exchange.item(2);
    end(exchange);
    const expected = [
      { id: 7, item: { dropped: 2 } },
      { id: 7, ...reply, last: true },
    ];
    t.same(sent, expected);
    t.equal(waiting.size, 0, 'nobody waits for room any more');
    drain();
    t.same(sent, expected, 'and once only');
    t.end();
  });
}

t.test('a client that goes away ends its exchanges, without a word', (t) => {
  const { exchange, exchanges, sent, fill, drain } = one();
  const ends: string[] = [];
  exchange.onEnd(() => ends.push('first'));
  exchange.onEnd(() => {
    exchange.item('late');
    ends.push('second');
  });
  fill();
  exchange.item(1);
  t.equal(exchanges.open, 1);
  exchanges.end();
  exchanges.end();
  drain();
  t.same(ends, ['first', 'second']);
  t.same(sent, []);
  t.equal(exchanges.open, 0);
  exchange.onEnd(() => ends.push('after it'));
  t.same(ends.at(-1), 'after it', 'a late request gets its end at once');
  t.end();
});

t.test('who wants to drop nothing waits for room', async (t) => {
  const { exchange, fill, drain, sent, exchanges } = one();
  await exchange.room();
  fill();
  let roomy = false;
  const room = exchange.room().then(() => (roomy = true));
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(roomy, 'while it is full');
  drain();
  await room;
  exchange.item('whole');
  t.same(sent.at(-1), { id: 7, item: 'whole' });
  fill();
  const gone = exchange.room();
  exchanges.end();
  await gone;
  t.pass('a connection that closes keeps nobody waiting');
});
