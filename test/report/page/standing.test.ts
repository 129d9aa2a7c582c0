import t from 'tap';
import type { SnapshotDevice } from '../../../agent/explain/snapshot/snapshot.ts';
import { standingOf } from '../../../agent/report/page/standing.ts';
import { device } from './made-snapshot.ts';

const NONE = { driver: undefined, driverModule: undefined } as const;
const rows: Readonly<Record<string, readonly [device: Partial<SnapshotDevice>, standing: string]>> = {
  'a bound driver is good': [{}, 'good'],
  'also where its module could not be loaded again': [{ verdict: 'failed' }, 'good'],
  'a module that fails is bad': [{ ...NONE, verdict: 'failed' }, 'bad'],
  'a blacklisted module is to be known': [{ ...NONE, verdict: 'blacklisted' }, 'warn'],
  'so is a card that nothing matches': [{ ...NONE, verdict: 'no-match' }, 'warn'],
  'and a module that nobody loaded': [{ ...NONE, verdict: 'would-insert' }, 'warn'],
  'a bridge needs none': [{ ...NONE, verdict: 'no-match', modaliases: ['pci:v1d1bc06sc00i00' as never] }, 'idle'],
  'nor a device that a loaded module did not want': [{ ...NONE, verdict: 'loaded' }, 'idle'],
  'a recorded driver that is lost is bad': [{ fate: 'lost' }, 'bad'],
  'so is one without its firmware': [{ fate: 'no-firmware' }, 'bad'],
  'another driver is to be known': [{ fate: 'replaced' }, 'warn'],
  'and what cannot be told': [{ fate: 'unknown' }, 'warn'],
  'a kept driver is good, whatever matches': [{ fate: 'kept', verdict: 'no-match' }, 'good'],
  'a recorded device without driver that would get one is good': [
    { ...NONE, fate: 'none', verdict: 'would-insert' },
    'good',
  ],
};
t.test('how a device stands', (t) => {
  for (const [name, [given, standing]] of Object.entries(rows))
    t.equal(standingOf(device('/devices/x', given)), standing, name);
  t.end();
});
