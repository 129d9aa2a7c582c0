/** Each line of `dkms --json` is what docs/dkms.schema.json says. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { needCommands } from '../../fixtures/commands.ts';
import { isOfSchema } from '../../schemas.ts';
import { KERNEL, OTHER, system } from './made-up-system.ts';

const tools = await needCommands(['make', 'tar']);
t.setTimeout(1_200_000);
const skip = tools.kind === 'missing' ? tools.sentence : false;

t.test('lines of many actions', { skip }, async (t) => {
  const { dir, run, source } = system(t, [KERNEL, OTHER]);
  const isLine = isOfSchema('dkms');
  const kinds = new Set<string>();
  const lines = (...words: readonly string[]) => {
    const { out, error } = run(...words, '--json');
    t.notMatch(error, /Error!|Warning:/, `${words[0]}: words for people`);
    for (const line of out.trimEnd().split('\n').filter(Boolean)) {
      const message = JSON.parse(line) as { readonly kind: string };
      kinds.add(message.kind);
      if (!isLine(message)) t.fail(`${words.join(' ')}: ${line}: ${JSON.stringify(isLine.errors?.slice(0, 3))}`);
    }
  };
  writeFileSync(`${dir}/lib/modules/${KERNEL}/build/.config`, 'CONFIG_MODULE_SIG_HASH="sha256"\n');
  writeFileSync(`${dir}/etc/dkms/framework.conf`, 'try_sign_modules="true"\npost_transaction="true"\n');
  lines('add', source('demo', '1.0', 'CLEAN="x"\nPOST_INSTALL="missing.sh"'));
  lines('add', 'demo/1.0');
  lines('autoinstall', '-n', '-k', KERNEL, '-k', '7.0.0-none');
  lines('install', 'demo/1.0', '-k', KERNEL, '-k', OTHER, '-k', '7.0.0-none');
  lines('install', 'demo/1.0', '-k', KERNEL, '--force');
  lines(
    'build',
    source('bad', '1.0', 'MAKE="echo a.c:1:2: error: implicit declaration of function from_timer; false"'),
    '-k',
    KERNEL,
  );
  lines('build', source('patched', '1.0', 'PATCH="none"'), '-k', KERNEL);
  lines('build', source('never', '1.0', 'BUILD_EXCLUSIVE_ARCH="none"'), '-k', KERNEL);
  lines('build', source('needs', '1.0', 'BUILD_DEPENDS="stranger"'), '-k', KERNEL);
  lines('build', source('wrong', '1.0', 'AUTOINSTALL="maybe"\nDEST_MODULE_NAME="x.ko"'), '-k', KERNEL);
  lines('autoinstall', '-k', KERNEL);
  lines('log', 'bad/1.0');
  lines('log', 'never/1.0');
  lines('resign');
  lines('mktarball', 'demo/1.0', '--archive', `${dir}/a.tar`);
  lines('ldtarball', '--archive', `${dir}/a.tar`);
  rmSync(`${dir}/lib/modules/${KERNEL}/updates/dkms/demo.ko`);
  mkdirSync(`${dir}/var/lib/dkms/demo/1.0/${KERNEL}/.tmp_x86_64_abcdef`);
  lines('status');
  lines('check');
  lines('check', '--repair');
  lines('match', '--templatekernel', KERNEL, '-k', OTHER);
  lines('uninstall', 'demo/1.0', '-k', KERNEL);
  lines('remove', 'demo/1.0', '--all');
  lines('remove', 'stranger/1.0', '--all');
  lines('generate_mok', '-n');
  t.ok(kinds.size > 45, `${kinds.size} kinds were seen: ${[...kinds].toSorted().join(' ')}`);
});
