import t from 'tap';
import type { Devpath, ModuleName } from '../../agent/base/names.ts';
import { allowedSteps } from '../../agent/load/allowed-steps.ts';
import type { Plan, Step } from '../../agent/plan/plan.ts';
import type { Requester } from '../../agent/records/coldplug-run.ts';
import { judgePolicy, type PolicyPhase } from '../../agent/rules/policy/policy.ts';
import { parsePolicy } from '../../agent/rules/policy/policy-text.ts';

const FILE = '/etc/plugd/policy.conf';
const requester: Requester = { devpath: '/devices/a' as Devpath, subsystem: 'pci', name: 'pci:v1' };

/** The policy of this text, as the agent asks it. */
function judge(text: string, phase: PolicyPhase = 'boot') {
  const read = parsePolicy({ file: FILE, text });
  if (read.kind === 'malformed') throw new Error(read.problems.map(({ message }) => message).join('; '));
  return (subject: Parameters<typeof judgePolicy>[1], needs: readonly ModuleName[]) =>
    judgePolicy(read.policy, subject, needs, phase);
}

function step(module: string, required: boolean, needs: readonly string[] = [], rest: Partial<Step> = {}): Step {
  return {
    module: module as ModuleName,
    path: `/lib/${module}.ko`,
    params: '',
    origins: [],
    why: required ? 'depends' : 'softdep-pre',
    required,
    after: needs.map((need) => ({ module: need as ModuleName, required: true })),
    ...rest,
  };
}

/** `nic` needs `bus`; its softdep `helper` needs `core`, and `late` is a softdep that only comes after `helper`. */
const STEPS = [
  step('core', false),
  step('helper', false, ['core']),
  step('late', false, [], { after: [{ module: 'helper' as ModuleName, required: false }] }),
  step('bus', true),
  step('nic', true, ['bus']),
];
const ALL = ['core', 'helper', 'late', 'bus', 'nic'];
const plan = (steps: readonly Step[] = STEPS): Plan => ({
  target: 'nic' as ModuleName,
  steps,
  printed: steps,
  blocked: [],
  notes: [],
});

const ROWS: Record<string, readonly [text: string, left: readonly string[], reason?: string, line?: number]> = {
  'an empty policy': ['', ALL],
  'a line about somebody else': ['deny module=other\ndeny subsystem=usb\n', ALL],
  'the target, by name': ['deny module=nic\n', [], 'deny module=nic', 1],
  'the target, by its modalias': ['# first\ndeny modalias=pci:*\n', [], 'deny modalias=pci:*', 2],
  'the target, by the default': ['default deny\n', [], 'default deny', 1],
  'what the target needs': ['deny module=bus\n', [], 'deny module=bus: it needs bus', 1],
  'the default is not about what a target needs, nor about softdeps': ['default deny\nallow module=nic\n', ALL],
  'a softdep is left out': ['deny module=late\n', ['core', 'helper', 'bus', 'nic']],
  'what comes after a softdep, and can do without, stays': ['deny module=helper\n', ['core', 'late', 'bus', 'nic']],
  'what a softdep needs takes the softdep with it': ['deny module=core\n', ['late', 'bus', 'nic']],
  'a line for another subsystem keeps no softdep out': ['deny module=helper subsystem=usb\n', ALL],
  'the first line decides': ['allow module=core\ndeny module=c*\n', ALL],
};
for (const [name, [text, left, reason, line]] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const { steps, denial } = allowedSteps(plan(), requester, judge(text));
    t.same(
      steps.map(({ module }) => module),
      left,
    );
    t.same(
      denial,
      reason === undefined
        ? undefined
        : { module: 'nic', kind: 'denied', reason, place: { file: FILE, line }, requester },
    );
    t.end();
  });
}

t.test('a chain of softdeps is left out from the denied one on', (t) => {
  const steps = [step('a', false), step('b', false, ['a']), step('c', false, ['b']), step('nic', true)];
  t.same(
    allowedSteps(plan(steps), requester, judge('deny module=a\n')).steps.map(({ module }) => module),
    ['nic'],
  );
  t.end();
});

t.test('nobody asks the policy without need', (t) => {
  const never = () => {
    throw new Error('asked');
  };
  t.same(allowedSteps(plan([]), requester, never), { steps: [] });
  t.same(allowedSteps(plan(), requester, undefined), { steps: STEPS });
  t.end();
});

t.test('what the policy is asked', (t) => {
  const asked: unknown[] = [];
  allowedSteps(plan(), { devpath: '' as Devpath, subsystem: '', name: 'fs-é"' }, (subject, needs) => {
    asked.push({ ...subject, needs });
    return { kind: 'allowed' };
  });
  const subject = { modalias: 'fs-é"', subsystem: '', device: '', module: 'nic' };
  t.same(asked, [
    { ...subject, needs: ['bus'] },
    ...['core', 'helper', 'late'].map((module) => ({ ...subject, needs: [module] })),
  ]);
  t.end();
});
