import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { moduleMentions } from '../../../agent/facts/modfiles/module-strings.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';

t.test('a file without the string, or that is no module', (t) => {
  const folder = t.testdir({ 'text.ko': 'piix4_smbus' });
  const file = join(folder, 'a.ko');
  writeFileSync(file, moduleImage({ modinfo: ['description=piix4_smbus'] }));
  t.equal(moduleMentions('', file, 'piix4_smbus'), false, 'what modinfo says is no data of the driver');
  t.equal(moduleMentions('', join(folder, 'text.ko'), 'piix4_smbus'), undefined);
  t.equal(moduleMentions('', join(folder, 'absent.ko'), 'x'), undefined);
  t.end();
});
