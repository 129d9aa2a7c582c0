import t from 'tap';
import { exclusionOf, hasExclusives, type ExclusionFacts } from '../../../agent/dkms/conf/exclusion.ts';

const OPTIONS: Readonly<Record<string, string>> = { CONFIG_A: 'y', CONFIG_M: 'm', CONFIG_S: 'text' };

function facts(directive: string, value: string, fits = true): ExclusionFacts {
  return {
    values: new Map([[directive, new Map([[0, value]])]]),
    matches: new Map([[directive, new Map([[0, fits]])]]),
    release: '6.1.0-56-amd64',
    option: (name) => OPTIONS[name],
  };
}

t.test('what keeps a module from a kernel', async (t) => {
  const rows: ReadonlyArray<
    readonly [rule: string, directive: string, value: string, fits: boolean, pattern?: boolean]
  > = [
    ['a pattern that fits', 'BUILD_EXCLUSIVE_KERNEL', '^6', true],
    ['a pattern that does not', 'BUILD_EXCLUSIVE_KERNEL', 'REQUIRES CONFIG_VIDEO_DEV', false, false],
    ['an arch that does not', 'BUILD_EXCLUSIVE_ARCH', '^do_not_build$', false, false],
    ['the lowest kernel itself', 'BUILD_EXCLUSIVE_KERNEL_MIN', '6.1.0-56-amd64', true],
    ['a later one than the lowest', 'BUILD_EXCLUSIVE_KERNEL_MIN', '5.10', true],
    ['an earlier one', 'BUILD_EXCLUSIVE_KERNEL_MIN', '6.2', false],
    ['the highest itself', 'BUILD_EXCLUSIVE_KERNEL_MAX', '6.1.0-56-amd64', true],
    ['a highest that only begins like it', 'BUILD_EXCLUSIVE_KERNEL_MAX', '6.1', false],
    ['a highest above it', 'BUILD_EXCLUSIVE_KERNEL_MAX', '6.1.99', true],
    ['options that are set and not set', 'BUILD_EXCLUSIVE_CONFIG', 'CONFIG_A  CONFIG_M !CONFIG_N ', true],
    ['an option that is not set', 'BUILD_EXCLUSIVE_CONFIG', 'CONFIG_A CONFIG_N', false],
    ['an option that must not be', 'BUILD_EXCLUSIVE_CONFIG', '!CONFIG_M', false],
    ['an option with text', 'BUILD_EXCLUSIVE_CONFIG', 'CONFIG_S', false],
    ['an empty value says nothing', 'BUILD_EXCLUSIVE_KERNEL', '', true, false],
  ];
  for (const [rule, directive, value, fits, pattern] of rows) {
    const expected = fits ? undefined : { directive, record: 0, value };
    t.same(exclusionOf(facts(directive, value, pattern ?? fits), 0), expected, rule);
    t.equal(exclusionOf(facts(directive, value, pattern ?? fits), 1), undefined, 'another record has its own');
    t.equal(hasExclusives(facts(directive, value).values), value !== '');
  }
  const unknown = { ...facts('BUILD_EXCLUSIVE_CONFIG', 'CONFIG_N'), option: undefined };
  t.equal(exclusionOf(unknown, 0), undefined, 'without a configuration options exclude nothing');
});
