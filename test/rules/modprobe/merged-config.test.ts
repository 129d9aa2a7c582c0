import t from 'tap';
import { configuredNames, mergeConfig } from '../../../agent/rules/modprobe/merged-config.ts';

t.test('files in order, the command line last, unread files among the problems', (t) => {
  const config = mergeConfig(
    {
      texts: [
        { file: 'a', text: 'options m one=1\nalias x y' },
        { file: 'b', text: 'options m two=2\ninstall i-j true\nremove r true\nbad' },
      ],
      unread: [{ file: 'c', why: 'permission denied' }],
    },
    { file: 'cmdline', text: 'm.three=3' },
  );
  t.same(
    config.options.map((rule) => [rule.text, rule.place]),
    [
      ['one=1', { file: 'a', line: 1 }],
      ['two=2', { file: 'b', line: 1 }],
      ['three=3', { file: 'cmdline', line: 1 }],
    ],
  );
  t.match(config.problems, [
    { file: 'c', line: 0, message: /permission denied/ },
    { file: 'b', line: 4 },
  ]);
  t.same(configuredNames(config), {
    aliases: [{ pattern: 'x', module: 'y', place: { file: 'a', line: 2 } }],
    commands: [
      { module: 'i_j', place: { file: 'b', line: 2 } },
      { module: 'r', place: { file: 'b', line: 3 } },
    ],
  });
  t.end();
});
