import t from 'tap';
import { addressText, listenAddress } from '../../../agent/daemon/metrics/listen-address.ts';

const GOOD: ReadonlyArray<readonly [text: string, address: object]> = [
  ['127.0.0.1:9435', { kind: 'tcp', host: '127.0.0.1', port: 9435 }],
  ['[::1]:9435', { kind: 'tcp', host: '::1', port: 9435 }],
  ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
  ['0.0.0.0:65535', { kind: 'tcp', host: '0.0.0.0', port: 65_535 }],
  ['/run/plugd/metrics', { kind: 'unix', path: '/run/plugd/metrics' }],
];
for (const [text, address] of GOOD) {
  t.same(listenAddress(text), address, text);
  t.equal(addressText(listenAddress(text)), text);
}
for (const text of [
  '9435',
  ':9435',
  'host',
  'host:',
  'host:65536',
  '::1:9435',
  '[::1]',
  'run/metrics',
  'a b:1',
  'http://a:1',
])
  t.throws(() => listenAddress(text), { code: 'usage', message: `'${text}' is no address` }, text);
t.end();
