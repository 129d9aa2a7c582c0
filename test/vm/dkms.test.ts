/**
 * The module that people ask about most, on a real kernel: Debian's v4l2loopback, built and signed by `dkms install`. Without videodev the kernel
 * refuses it, which plugd says before; by its name it comes with its dependencies.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Investigation } from '../../agent/records/investigation.ts';
import { buildPackage, type BuiltPackage } from '../oracle/dkms/built-package.ts';
import { machineImage, type Image } from './machine/image.ts';
import { boot } from './machine/machine.ts';

t.setTimeout(1_200_000);
const image = await machineImage({ modules: ['mc', 'videodev'] });
const folder = mkdtempSync(join(tmpdir(), 'plugd-vm-dkms-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const built = image.kind === 'missing' ? image : await buildPackage('v4l2loopback-dkms', folder);
const skip = built.kind === 'missing' ? built.sentence : false;

t.test('v4l2loopback', { skip }, async (t) => {
  const { file, kernel } = built as BuiltPackage;
  const updates = `lib/modules/${kernel}/updates/dkms`;
  await using machine = await boot(image as Image, {
    files: { [`usr/${updates}/v4l2loopback.ko`]: readFileSync(file) },
  });
  const test = async (word: string) =>
    JSON.parse((await machine.shell(`plugd test --json ${word}`)).stdout) as Investigation;

  const alone = await test(`/${updates}/v4l2loopback.ko`);
  t.match(alone, { verdict: 'failed', cause: 'unknown-symbol' });
  t.match(alone.evidence.join('\n'), /video_device_alloc|video_ioctl2/);
  t.match([...alone.evidence, alone.remedy].join('\n'), /videodev/, 'the module that has the symbols');
  const inserted = await machine.run('plugd', ['insmod', `/${updates}/v4l2loopback.ko`]);
  t.equal(inserted.status, 1);
  t.match(inserted.stderr, /Unknown symbol/);

  await machine.output('plugd', ['depmod']);
  const planned = await test('v4l2loopback');
  t.equal(planned.verdict, 'would-insert');
  t.same(
    planned.requests[0]?.candidates[0]?.steps.map(({ module }) => module),
    ['mc', 'videodev', 'v4l2loopback'],
  );
  await machine.output('plugd', ['modprobe', 'v4l2loopback']);
  t.match(await machine.output('cat', ['/proc/modules']), /^v4l2loopback \d+ 0 - Live .*\(O?E?\)$/m);
  t.match(await machine.output('cat', ['/sys/class/video4linux/video0/name']), /Dummy video device/);
  t.match(await machine.output('plugd', ['modinfo', '-F', 'signer', 'v4l2loopback']), /^DKMS module signing key$/m);
});
