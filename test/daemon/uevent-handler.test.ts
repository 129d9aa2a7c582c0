import t from 'tap';
import { UeventHandler } from '../../agent/daemon/uevent-handler.ts';
import { parseUevent, type Uevent } from '../../agent/facts/uevents/uevent.ts';

function uevent(action: string, devpath: string, pairs: Readonly<Record<string, string>> = {}): Uevent {
  const all = { ACTION: action, DEVPATH: devpath, SUBSYSTEM: 'pci', SEQNUM: '7', ...pairs };
  const text = Object.entries(all).map(([key, value]) => `${key}=${value}\0`);
  const read = parseUevent(Buffer.from(`${action}@${devpath}\0${text.join('')}`, 'latin1'));
  if (read.kind !== 'uevent') throw new Error(read.kind);
  return read.uevent;
}

/** A handler, and what it does in order. */
function handler({ debugging = false, stopping = false } = {}) {
  const done: string[] = [];
  const own = new UeventHandler({
    log: { debugging, line: (level, message) => done.push(`${level} ${message}`) },
    monitors: { uevent: ({ action }) => done.push(`monitors ${action}`) },
    moduleNews: { uevent: (action, module) => done.push(`module ${action} ${module}`) },
    loader: {
      device: ({ devpath, modaliases }) => done.push(`device ${devpath} ${modaliases.join()}`),
      deviceGone: (devpath) => done.push(`gone ${devpath}`),
    },
    stopping: () => stopping,
  });
  return { own, done };
}

const A = '/devices/a';
const ROWS: Record<string, readonly [uevent: Uevent, done: readonly string[], used: number]> = {
  'add loads': [uevent('add', A, { MODALIAS: 'pci:v1' }), ['monitors add', `device ${A} pci:v1`], 1],
  'a device without a modalias has rules to be asked': [uevent('add', A), ['monitors add', `device ${A} `], 1],
  'remove forgets': [uevent('remove', A, { MODALIAS: 'pci:v1' }), ['monitors remove', `gone ${A}`], 0],
  'move forgets the old path, since an add follows for none': [
    uevent('move', '/devices/b', { DEVPATH_OLD: A }),
    ['monitors move', `gone ${A}`],
    0,
  ],
  'a move that does not say from where': [uevent('move', A), ['monitors move', `gone ${A}`], 0],
  'a module comes, and is a device to the rules': [
    uevent('add', '/module/snd-hda', { SUBSYSTEM: 'module' }),
    ['monitors add', 'module add snd_hda', 'device /module/snd-hda '],
    1,
  ],
  'a module goes': [
    uevent('remove', '/module/nic', { SUBSYSTEM: 'module' }),
    ['monitors remove', 'module remove nic', 'gone /module/nic'],
    0,
  ],
  'a path that looks like a module’s is none': [
    uevent('add', '/module/nic', { SUBSYSTEM: 'pci' }),
    ['monitors add', 'device /module/nic '],
    1,
  ],
};
for (const action of ['bind', 'unbind', 'change', 'online', 'offline']) {
  ROWS[`${action} loads nothing: an administrator may have removed the module`] = [
    uevent(action, A, { MODALIAS: 'pci:v1' }),
    [`monitors ${action}`],
    0,
  ];
}
for (const [name, [one, expected, used]] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const { own, done } = handler();
    own.handle(one);
    t.same(done, expected);
    t.equal(own.used, used);
    t.end();
  });
}

t.test('an agent that ends still shows what it hears, and does nothing about it', (t) => {
  const { own, done } = handler({ stopping: true });
  for (const action of ['add', 'remove', 'move']) own.handle(uevent(action, '/module/x', { SUBSYSTEM: 'module' }));
  t.same(done, ['monitors add', 'monitors remove', 'monitors move']);
  t.equal(own.used, 0);
  t.end();
});

t.test('each uevent is a line of a debug log', (t) => {
  const { own, done } = handler({ debugging: true });
  own.handle(uevent('change', A));
  t.same(done, ['monitors change', `debug change ${A}`]);
  t.end();
});
