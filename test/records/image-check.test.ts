import t from 'tap';
import { fatalLosses, isGoodImage, type ImageCheck, type ImageLoss } from '../../agent/records/image-check.ts';

const loss = (...classes: ImageLoss['classes']): ImageLoss => ({
  machine: 'm',
  device: '/devices/x',
  driver: 'x',
  classes,
  because: '',
});

const WHOLE = { needed: ['disk', 'network'], lost: [], problems: [], missing: [] } as const;
const ROWS: Readonly<Record<string, readonly [Partial<ImageCheck>, fatal: number, good: boolean]>> = {
  'nothing lost': [{}, 0, true],
  'of a needed class': [{ lost: [loss('disk')] }, 1, false],
  'of another class': [{ lost: [loss('keyboard'), loss('other')] }, 0, true],
  'one of its classes is needed': [{ lost: [loss('other', 'network')] }, 1, false],
  'no class is needed': [{ lost: [loss('disk')], needed: [] }, 0, true],
  'a damaged image': [{ problems: ['cut off'] }, 0, false],
  'a recording that cannot be used': [{ missing: [{ kind: 'machine', name: 'm', because: '' }] }, 0, false],
};

for (const [rule, [change, fatal, good]] of Object.entries(ROWS)) {
  t.test(rule, (t) => {
    const check = { ...WHOLE, ...change } as ImageCheck;
    t.equal(fatalLosses(check).length, fatal);
    t.equal(isGoodImage(check), good);
    t.end();
  });
}
