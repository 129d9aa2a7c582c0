import t from 'tap';
import type { BuildFailure } from '../../../../agent/records/dkms/build-failure.ts';
import { explanationText } from '../../../../agent/dkms/build/why/failure-words.ts';

const FAILURE: BuildFailure = {
  class: 'api-change',
  place: { file: 'xpad.c', line: 851 },
  text: "implicit declaration of function 'from_timer'",
  source: 'struct ghl *ghl = from_timer(ghl, t, timer);',
  subject: 'from_timer',
  more: 3,
  change: { kind: 'gone', symbol: 'from_timer', since: '6.16', now: 'timer_container_of()' },
};

function words(change: Partial<BuildFailure>): string {
  return explanationText({ failure: { ...FAILURE, ...change }, module: 'xpad', version: '0.4', kernel: '6.16.2' });
}

t.test('the first error, its source, what changed and what to do', async (t) => {
  t.equal(
    words({}),
    `first error: xpad.c:851: implicit declaration of function 'from_timer' (and 3 more)
    struct ghl *ghl = from_timer(ghl, t, timer);
Linux 6.16 has no from_timer any more: use timer_container_of().
xpad/0.4 does not know kernel 6.16.2: look for a newer version of it.
`,
  );
});

t.test('only what is known', async (t) => {
  const bare = { place: { file: 'make.log', line: 9 }, source: undefined, more: 0, change: undefined } as const;
  const rows: ReadonlyArray<readonly [rule: string, change: Partial<BuildFailure>, text: string]> = [
    [
      'a program, whose place is the log',
      { ...bare, class: 'missing-tool', text: '/bin/sh: 1: bc: not found', subject: 'bc' },
      'first error: make.log:9: /bin/sh: 1: bc: not found\nThe program bc is missing: install it.\n',
    ],
    [
      'a file without a line',
      { ...bare, class: 'killed', place: { file: 'm.c', line: undefined }, text: 'Killed' },
      'first error: m.c: Killed\nA process of the build was killed, nearly always for want of memory: build with fewer jobs (-j 1).\n',
    ],
    [
      'a source that is newer than the kernel',
      { change: { kind: 'added', symbol: 'hrtimer_setup', since: '6.13', now: 'hrtimer_init()' }, more: 0 },
      'hrtimer_setup came with Linux 6.13; kernels before it have hrtimer_init().\n' +
        'xpad/0.4 is too new for kernel 6.16.2: use an older version of it.\n',
    ],
    [
      'a function that modules may not call any more',
      {
        class: 'symbol-not-exported',
        subject: 'do_exit',
        change: { kind: 'gone', symbol: 'do_exit', since: '5.17', now: 'a return' },
      },
      'Modules cannot use do_exit since Linux 5.17: use a return.\n' +
        'Kernel 6.16.2 exports no do_exit to modules: look for a version of xpad/0.4 that does without it.\n',
    ],
  ];
  for (const [rule, change, text] of rows) t.ok(words(change).endsWith(text), `${rule}: ${words(change)}`);
});
