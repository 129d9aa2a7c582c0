/** What is written about the program is what the program says of itself. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LONGEST_REQUEST, REQUESTS } from '../../agent/daemon/control/control-protocol.ts';
import { POLICY_KEYS } from '../../agent/rules/policy/policy.ts';
import { parsePolicy } from '../../agent/rules/policy/policy-text.ts';
import { needCommands, runProgram } from '../fixtures/commands.ts';
import { commonSchema, dkmsSchema, isOfSchema, readSchema, schemas } from '../schemas.ts';

const root = join(import.meta.dirname, '../../..');
const docs = join(root, 'docs');
const pages = readdirSync(join(docs, 'man'));
const read = (name: string) => readFileSync(join(docs, pages.includes(name) ? 'man' : '', name), 'utf8');

const said = new Map<string, string>();

/** Standard output, whatever the exit status; of each command line once. */
function plugd(...args: string[]): string {
  const key = args.join('\0');
  let text = said.get(key);
  if (text === undefined) {
    text = spawnSync(process.execPath, [join(root, 'dist/plugd.cjs'), ...args], { encoding: 'utf8' }).stdout;
    said.set(key, text);
  }
  return text;
}

/** The commands of `plugd --help`: plugd's own, and those that are option for option another program's. */
function commands(): { own: string[]; kmod: string[] } {
  const [own = '', kmod = ''] = plugd('--help').split("kmod's commands");
  const names = (text: string) => [...text.matchAll(/^ {2}([a-z-]+)(?= |$)/gm)].map((match) => match[1] ?? '');
  return { own: names(own), kmod: names(kmod) };
}

/** `-t, --timeout SECONDS`, one a line as in --help, of the table under a heading of a page. */
function optionsOfPage(section: string): string[] {
  return [...section.matchAll(/^\.It (Fl .*)$/gm)].map(([, words = '']) =>
    words.replaceAll(/Fl -/g, '--').replaceAll(/Fl /g, '-').replaceAll(' , ', ', ').replace(' Ar ', ' '),
  );
}

function optionsOfHelp(text: string): string[] {
  return [...text.matchAll(/^ {2}(?:(-\w), | {4})(--[\w-]+(?:\[=\S+\]|(?: \S+)?))(?= |$)/gm)].map(
    ([, short, long = '']) => (short === undefined ? long : `${short}, ${long}`),
  );
}

/** The part of the pages that is about a command: from its `.Ss plugd NAME` to the next heading. */
function sectionOf(command: string): string {
  const parts = pages.flatMap((name) => read(name).split(/^(?=\.S[hs] )/m));
  const found = parts.filter((part) => part.startsWith(`.Ss plugd ${command}\n`));
  if (found.length !== 1) throw new Error(`${found.length} sections about ${command}`);
  return found[0] ?? '';
}

const { own, kmod } = commands();

t.setTimeout(600_000);

t.test('every command and option of the program is in a manual page, and the other way round', (t) => {
  t.ok(own.length >= 14 && kmod.length === 7);
  for (const name of own) {
    const help = plugd(name, '--help');
    const section = sectionOf(name);
    const options = optionsOfHelp(help);
    t.ok(options.includes('-h, --help'), name);
    t.same(optionsOfPage(section).toSorted(), options.toSorted(), name);
    const usage = help
      .split('\n\n')[0]
      ?.replaceAll('…', '...')
      .replaceAll(/^(usage:| {6}) /gm, '.Dl ');
    t.ok(section.includes(`${usage}\n`), `${name}: ${usage}`);
  }
  for (const name of kmod) {
    const help = plugd(name, '--help');
    for (const option of optionsOfPage(sectionOf(name))) t.ok(help.includes(option), `${name} ${option}`);
  }
  const headings = pages.flatMap((name) =>
    [...read(name).matchAll(/^\.Ss plugd (\S+)$/gm)].map((match) => match[1] ?? ''),
  );
  t.same(headings.toSorted(), [...own, ...kmod].toSorted(), 'no page speaks of a command that is not there');
  const overview = read('plugd.8');
  for (const name of [...own, ...kmod]) t.match(overview, new RegExp(`^\\.It Cm ${name}$`, 'm'));
  t.end();
});

t.test('help fits 80 columns', (t) => {
  for (const args of [['--help'], ...own.map((name) => [name, '--help']), ['modprobe', '--help']]) {
    const wide = plugd(...args)
      .split('\n')
      .filter((line) => line.length > 80);
    t.same(wide, [], args.join(' '));
  }
  t.end();
});

t.test('the pages are well formed, refer to pages that are there, and are installed', async (t) => {
  const tools = await needCommands(['mandoc', 'groff']);
  for (const name of pages) {
    const path = join(docs, 'man', name);
    if (tools.kind === 'ready') {
      const lint = await runProgram('mandoc', ['-T', 'lint', '-W', 'warning', path]);
      t.equal(lint.stdout + lint.stderr, '', name);
      const groff = await runProgram('groff', ['-mandoc', '-ww', '-z', path]);
      t.equal(groff.stdout + groff.stderr, '', name);
    } else {
      t.comment(tools.sentence);
    }
    for (const [, page = '', section = ''] of read(name).matchAll(/^\.Xr (plugd\S*) (\d)/gm)) {
      t.ok(pages.includes(`${page}.${section}`), `${name} refers to ${page}(${section})`);
    }
    for (const [, schema = ''] of read(name).matchAll(/docs\/([\w.-]+\w)/g)) t.ok(read(schema), `${name}: ${schema}`);
  }
  const { man } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { man: readonly string[] };
  t.same(man.toSorted(), pages.map((name) => `./docs/man/${name}`).toSorted());
  for (const unit of ['plugd.service', 'plugd-settle.service']) {
    const documentation = /^Documentation=man:([\w-]+)\((\d)\)$/m.exec(
      readFileSync(join(root, 'systemd', unit), 'utf8'),
    );
    t.ok(pages.includes(`${documentation?.[1]}.${documentation?.[2]}`), unit);
  }
});

t.test('the examples of plugd-policy(5) are policies, and it names every condition', (t) => {
  const page = read('plugd-policy.5');
  const examples = [...page.matchAll(/^\.Bd -literal.*\n([^]*?)^\.Ed$/gm)].map((match) => match[1] ?? '');
  t.ok(examples.length >= 2);
  for (const text of examples) {
    const answer = parsePolicy({ file: 'plugd-policy.5', text });
    t.equal(answer.kind, 'policy', JSON.stringify(answer));
  }
  const keys = [...page.matchAll(/^\.It Cm (\w+)= Ns Ar glob$/gm)].map((match) => match[1] ?? '');
  t.same(keys.toSorted(), POLICY_KEYS.toSorted());
  t.end();
});

interface RequestSchema {
  readonly properties: Readonly<Record<string, { readonly const?: string; readonly type?: string }>>;
}

t.test('the control socket: page and schema have the commands and members of the code', (t) => {
  const schema = JSON.parse(read('control-socket.schema.json')) as {
    definitions: Record<string, unknown> & { request: { oneOf: readonly RequestSchema[] } };
  };
  const types = { boolean: 'boolean', string: 'string', number: 'number', strings: 'array' } as const;
  const inSchema = schema.definitions.request.oneOf.map(({ properties }) => [
    properties['command']?.const,
    Object.fromEntries(
      Object.entries(properties)
        .filter(([name]) => name !== 'id' && name !== 'command')
        .map(([name, { type }]) => [name, type]),
    ),
  ]);
  const inCode = Object.entries(REQUESTS).map(([command, members]) => [
    command,
    Object.fromEntries(Object.entries(members).map(([name, type]) => [name, types[type]])),
  ]);
  t.same(Object.fromEntries(inSchema), Object.fromEntries(inCode));
  const page = read('control-socket.md');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)].map(([, command, members = '']) => [
    command,
    [...members.matchAll(/`(\w+)`/g)].map((match) => match[1]),
  ]);
  t.same(
    Object.fromEntries(rows),
    Object.fromEntries(Object.entries(REQUESTS).map(([command, members]) => [command, Object.keys(members)])),
  );
  t.match(page, LONGEST_REQUEST.toLocaleString('en'));
  t.end();
});

t.test('the words of common.schema.json are those of the tables: npm run schemas', (t) => {
  t.same(readSchema('common.schema.json'), commonSchema());
  const validate = schemas().getSchema('common.schema.json#/definitions/cause');
  t.same([validate?.('busy'), validate?.('bsy')], [true, false]);
  t.end();
});

t.test('dkms.schema.json is what the types of the records say: npm run schemas', (t) => {
  t.same(readSchema('dkms.schema.json'), JSON.parse(JSON.stringify(dkmsSchema())));
  t.end();
});

t.test('lookup --json is what its schema says', (t) => {
  const base = t.testdir({
    'lib/modules/1': { 'modules.dep': 'kernel/a.ko:\n', 'modules.alias': 'alias pci:v*d1* a\n' },
    'etc/modprobe.d': { 'a.conf': 'alias x-* a\n' },
  });
  const answers = plugd('lookup', '--root', base, '--json', 'pci:v2d1', 'x-1', 'nothing', 'a[')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { candidates: readonly unknown[]; malformed?: string });
  const validate = isOfSchema('lookup');
  for (const answer of answers) t.ok(validate(answer), JSON.stringify(validate.errors));
  t.match(
    answers.map((answer) => answer.candidates.length),
    [1, 1, 0, 0],
  );
  t.type(answers[3]?.malformed, 'string');
  t.end();
});
