/** Figures of a whole agent, and an address that cannot be had yet. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MetricsService } from '../../../agent/daemon/metrics/metrics-service.ts';
import { ControlClient } from '../../../agent/daemon/control/control-client.ts';
import { AgentRig, rigMissing } from '../../fixtures/agent-rig.ts';

const plugd = join(import.meta.dirname, '../../../plugd.cjs');
const missing = rigMissing();
t.setTimeout(300_000);

async function figuresOf(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/metrics' }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('error', reject);
      response.on('end', () => resolve(body));
    });
    asked.on('error', reject);
    asked.end();
  });
}

t.test('an address that cannot be had is told once, and tried until it can', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-metrics-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'later/socket');
  const told: string[] = [];
  const waiting: Array<() => void> = [];
  const service = new MetricsService({
    address: { kind: 'unix', path },
    readDevices: async () => 'plugd_device 1\n',
    agentText: () => 'plugd_agent 1\n',
    log: { line: (level, message) => told.push(`${level}: ${message}`) },
    clock: { now: () => 0, after: (_, work) => (waiting.push(work), () => {}) },
  });
  await service.begin();
  t.match(told, [/^warn: the figures cannot be served on .*later\/socket: .*; it is tried again$/]);
  for (let tries = 1; tries <= 2; tries++) {
    waiting.shift()?.();
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(told.length, 1);
  mkdirSync(join(folder, 'later'));
  waiting.shift()?.();
  while (told.length === 1) await new Promise((resolve) => setImmediate(resolve));
  t.equal(told[1], `info: figures are served on ${path}`);
  t.match(await figuresOf(path), /^plugd_agent 1\nplugd_device 1\n(#.*\n)*plugd_devices_read 1\n$/);
  await service.close();
});

t.test(
  'an agent serves its figures and the verdicts about devices',
  missing === undefined ? {} : { skip: missing.sentence },
  async (t) => {
    const rig = await AgentRig.open(t, {
      modules: { nic: { aliases: ['pci:v1*'] } },
      devices: [
        { devpath: '/devices/pci0/0000:00:02.0', subsystem: 'pci', modalias: 'pci:v1d1' },
        { devpath: '/devices/pci0/0000:00:03.0', subsystem: 'pci', modalias: 'pci:v2d1' },
      ],
    });
    const socket = join(rig.base, 'metrics');
    const words = [
      'agent',
      '--run-dir',
      rig.runDir,
      '--policy-optional',
      '--metrics-listen',
      socket,
      ...rig.hostOptions,
    ];
    const child = rig.inside([process.execPath, plugd, ...words], rig.double.environment('agent', [0]));
    let log = '';
    child.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    while (!log.includes(`figures are served on ${socket}`)) await new Promise((resolve) => setTimeout(resolve, 10));
    const client = await ControlClient.open(rig.runDir);
    await client.ask('settle', { timeoutMs: 60_000 });
    client.close();
    const figures = await figuresOf(socket);
    t.match(figures, /^plugd_insertions_total\{result="inserted"\} 1$/m);
    t.match(figures, /^plugd_devices_by_verdict\{verdict="[a-z-]+"\} \d+$/m);
    t.match(figures, /^plugd_devices_read 1$/m);
    const names = figures.match(/^# TYPE .*$/gm) ?? [];
    t.equal(new Set(names).size, names.length, 'each family once');
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
  },
);

t.test('an address that is none is a mistake of the command line', async (t) => {
  const rig = missing === undefined ? await AgentRig.open(t, { modules: {} }) : undefined;
  if (rig === undefined) return;
  const child = rig.inside([process.execPath, plugd, 'agent', '--metrics-listen', '9435'], process.env);
  t.equal(await new Promise((resolve) => child.once('close', resolve)), 64);
});
t.end();
