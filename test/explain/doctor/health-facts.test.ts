import t from 'tap';
import { examineHealth } from '../../../agent/explain/doctor/health-facts.ts';
import { diagnosticsRig } from '../../fixtures/diagnostics-rig.ts';

t.test("bad lines of depmod's own configuration are the tree's fault, not the administrator's", (t) => {
  const { host, tree } = diagnosticsRig(t, {
    'root/lib/modules/6.1.0-test/modules.softdep': 'softdep loop pre: virtio\nsofudep cc pre: dd\nsoftdep ee\n',
    'root/lib/modules/6.1.0-test/modules.weakdep': 'weakdep loop\n',
  });
  const checks = new Map(examineHealth(host, false).map((check) => [check.id, check]));
  t.equal(checks.get('configuration')?.state, 'ok');
  t.match(checks.get('indexes'), {
    state: 'wrong',
    remedy: /depmod/,
    evidence: [
      new RegExp(`^${tree}/modules.softdep:2:1: 'sofudep' is not a directive`),
      /modules.softdep:3:11: nothing stands after 'ee'/,
      /modules.weakdep:1:13: nothing stands after 'loop'/,
    ],
  });
  t.end();
});
