/** Whatever goes over a real agent's control socket is what docs/control-socket.schema.json says. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { REQUESTS } from '../../../agent/daemon/control/control-protocol.ts';
import { AgentRig, rigMissing } from '../../fixtures/agent-rig.ts';
import { readSchema, schemas } from '../../schemas.ts';

const SCHEMA = 'control-socket.schema.json';
const ajv = schemas();

const missing = rigMissing();
const skip = missing === undefined ? {} : { skip: missing.sentence };

interface Line {
  readonly item?: unknown;
  readonly answer?: unknown;
  readonly error?: unknown;
  readonly working?: unknown;
}

t.setTimeout(600_000);

t.test('every kind of line', skip, async (t) => {
  const rig = await AgentRig.open(t, {
    modules: {
      bus: {},
      nic: { aliases: ['pci:v1*'], needs: ['bus'] },
      bad: { aliases: ['pci:v2*'] },
      never: { aliases: ['pci:v3*'] },
      ext9: { aliases: ['fs-ext9'] },
      slow: { aliases: ['pci:v4*'] },
    },
    devices: [{ devpath: '/devices/pci0/a', subsystem: 'pci', modalias: 'pci:v1d1' }],
    files: {
      'etc/modprobe.d/a.conf': 'blacklist never\noptions nic x=1\n',
      'etc/plugd/policy.conf': 'deny subsystem=usb\n',
    },
  });
  const { env, release } = rig.double.hold('slow');
  const agent = rig.start(['--serve-kernel-requests'], [0, 0, 2, 0], env);
  await agent.line('settled');
  const seen = new Set<string>();
  const check = (definition: string, value: unknown, from: string) => {
    const validate = ajv.getSchema(`${SCHEMA}#/definitions/${definition}`);
    t.equal(validate?.(value), true, `${from}: ${JSON.stringify(validate?.errors)} in ${JSON.stringify(value)}`);
    seen.add(definition);
  };
  /** Sends a request on a connection of its own; resolves with its last line, or with the first item that `enough` takes. */
  const ask = async (request: { command: string; [member: string]: unknown }, enough?: (item: unknown) => boolean) => {
    const socket = connect(join(rig.runDir, 'control'));
    check('request', { id: 7, ...request }, 'request');
    socket.write(`${JSON.stringify({ id: 7, ...request })}\n`);
    try {
      for await (const text of createInterface({ input: socket })) {
        const line = JSON.parse(text) as Line;
        check('reply', line, text);
        if ('item' in line) check(`${request.command}.item`, line.item, request.command);
        if ('answer' in line) check(`${request.command}.answer`, line.answer, request.command);
        if ('answer' in line || 'error' in line || enough?.(line.item) === true) return line;
      }
    } finally {
      socket.destroy();
    }
    throw new Error('the agent ended');
  };

  await ask({ command: 'ping' });
  await ask({ command: 'status' });
  await ask({ command: 'status', watch: true }, () => true);
  await ask({ command: 'metrics' });
  let decisions = 0;
  const monitored = ask({ command: 'monitor', subsystems: ['*'] }, (item) => {
    if ('decision' in (item as object)) decisions++;
    return JSON.stringify(item).includes('"slow"');
  });
  const add = (name: string, modalias: string) => ({
    action: 'add',
    devpath: `/devices/pci0/${name}`,
    SUBSYSTEM: 'pci',
    MODALIAS: modalias,
  });
  await ask({ command: 'ping' });
  await rig.play([add('b', 'pci:v2d1'), add('c', 'pci:v3d1'), add('d', 'pci:v4d1')]);
  const waited = (item: unknown) => JSON.stringify(item).includes('slow');
  await ask({ command: 'settle', modalias: 'pci:v4*' }, waited);
  release();
  await ask({ command: 'settle', modalias: 'pci:v4*' });
  await ask({ command: 'settle', module: 'slow', device: '/devices/pci0/a', timeoutMs: 0 });
  await monitored;
  t.ok(decisions >= 3, 'failed, blocked, inserted');
  await ask({ command: 'status' });
  await ask({ command: 'load', names: ['ext9', 'nobody', 'bad'] });
  t.match(await ask({ command: 'request', arguments: ['-q', '--', 'fs-ext9'] }), { answer: { exit: 0 } });
  t.match(await ask({ command: 'request', arguments: ['x'] }), { error: { code: 'usage' } });
  t.match(await ask({ command: 'yield' }), { error: { code: 'busy' } }, 'an agent makes no room');
  check('yield.answer', {}, 'a coldplug');
  t.match(await ask({ command: 'monitor', properties: ['x'] }), { error: { code: 'usage' } });
  await ask({ command: 'log' });
  await ask({ command: 'log', module: 'nic', follow: true }, () => true);
  rig.put('root/lib/modules/6.1.0-rig/modules.dep.bin', 'nonsense');
  t.match(await ask({ command: 'reload' }), { answer: { problems: [/modules.dep.bin/] } });
  await ask({ command: 'status' });
  check('status.item', { dropped: 3 }, 'dropped');

  for (const command of Object.keys(REQUESTS)) {
    t.ok(seen.has(`${command}.answer`) || command === 'monitor', `${command} was answered`);
  }
  const defined = Object.keys(readSchema(SCHEMA).definitions ?? {});
  const lines = defined.filter((name) => /\.(item|answer)$/.test(name));
  t.same(
    lines.filter((name) => !seen.has(name)),
    [],
    'nothing is defined that is never sent',
  );
  t.equal(
    ajv.getSchema(SCHEMA)?.({ command: 'status', wacth: true }),
    false,
    'the schema refuses what the agent refuses',
  );
  await agent.stop();
});
