import t from 'tap';
import { programsOf } from '../../../agent/rules/modprobe/command-programs.ts';

const ROWS: ReadonlyArray<readonly [command: string, programs: readonly string[]]> = [
  ['/bin/false', ['/bin/false']],
  ['  modprobe -i a  b=1', ['modprobe']],
  ['modprobe -i a && /sbin/x || y; z | tee f & w', ['modprobe', '/sbin/x', 'y', 'z', 'tee', 'w']],
  ['/bin/true # x; y', ['/bin/true']],
  ['A=1 B= modprobe a', ['modprobe']],
  ['2>/dev/null </dev/null modprobe a', ['modprobe']],
  ['modprobe a 2>/dev/null', ['modprobe']],
  [': ; true; [ -e /x ] && modprobe a', ['modprobe']],
  ['if test -e /x; then y; fi', []],
  ['{ a; }', []],
  ['$X a; b', ['b']],
  ['`a`; b', []],
  ["echo 'a; b'; c", []],
  ['modprobe "a; b"', ['modprobe']],
  ['$(a) b', []],
  ['/opt/*/x', []],
  ['', []],
];

t.test('the programs of a command', (t) => {
  for (const [command, programs] of ROWS) t.same(programsOf(command), programs, command);
  t.end();
});
