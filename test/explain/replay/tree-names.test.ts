import t from 'tap';
import { busOf, describedNames } from '../../../agent/explain/replay/tree-names.ts';

t.test('the bus of a MODALIAS or a pattern', (t) => {
  for (const [alias, bus] of [
    ['pci:v00008086d*', 'pci'],
    ['acpi*:PNP0C0A:*', 'acpi'],
    ['of:N*T*Cbrcm,x', 'of'],
    ['no-colon', 'no-colon'],
    ['', ''],
  ] as const)
    t.equal(busOf(alias), bus, alias);
  t.end();
});

t.test('what modules.builtin.modinfo describes', (t) => {
  const strings = ['bcm2835-power.author=E. A.', 'printk.parm=time:x.y=z', '=no name', 'no dot', 'a=b.c', '.x=y', ''];
  t.same([...describedNames(strings.join('\0'))], ['bcm2835_power', 'printk']);
  t.same([...describedNames('')], []);
  t.end();
});
