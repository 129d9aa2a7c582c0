/** `plugd keys`: the keys that vouch for modules; makes a machine owner key, and asks shim to enrol it. */
import { PlugdError } from '../../base/error.ts';
import { EXIT, HOST_OPTIONS, hostOf, OPTION, parse, type Arguments, type Command, type Option } from '../command.ts';
import { print, printJson, terminalAt } from '../output.ts';
import type { MokPlaces } from '../../trust/mok-files.ts';

const KEY: Option = { long: 'key', value: 'FILE', help: 'the private key (default /var/lib/dkms/mok.key)' };
const CERTIFICATE: Option = { long: 'cert', value: 'FILE', help: 'its certificate (default /var/lib/dkms/mok.pub)' };
const NAME: Option = { long: 'name', value: 'TEXT', help: "generate: the certificate's subject" };
const ALL: Option = { long: 'all', help: "list: read the kernel's image and all its modules, too" };
const HASH: Option = { long: 'hash-file', value: 'FILE', help: "enroll: the password's hash (openssl passwd -6)" };
const DKMS: Option = { long: 'dkms-form', help: "generate: a certificate like dkms's, which may also sign kernels" };

/** `plugd keys`. */
export const command: Command = {
  name: 'keys',
  usage: '[OPTION…] [list | status | generate | enroll]',
  options: [ALL, KEY, CERTIFICATE, NAME, DKMS, HASH, OPTION.json, OPTION.quiet, ...HOST_OPTIONS],
  notes: `
list: every key that the kernel, the firmware or shim knows, whether the kernel
trusts it for modules, and how many installed modules it signs: of those that
did not come with the kernel; with --all of all, which takes seconds.
status: where the machine owner key stands, and what to do next.
generate: make a key and its certificate; never over files that are there.
enroll: ask shim to enrol the certificate at the next boot (runs mokutil where
it is installed, else writes the EFI variables as mokutil does).
Exit status: 0 done; with status: modules signed with the key load; 1 not so.`,
  async run(args) {
    const parsed = parse(command, args);
    const [word = 'list', ...rest] = parsed.words;
    const action = rest.length === 0 ? ACTIONS[word] : undefined;
    if (action === undefined)
      throw new PlugdError(
        'usage',
        `keys takes one of list, status, generate and enroll, not '${parsed.words.join(' ')}'`,
        {
          remedy: 'see plugd keys --help',
        },
      );
    return action(parsed);
  },
};

const ACTIONS: Readonly<Record<string, (parsed: Arguments) => Promise<number>>> = {
  __proto__: null as never,
  list,
  status,
  generate,
  enroll,
};

async function list(parsed: Arguments): Promise<number> {
  const host = hostOf(parsed, true);
  const { listKeys } = await import('../../trust/key-list.ts');
  const { readTrustFacts } = await import('../../explain/signatures/trust-facts.ts');
  const { countSigners, keyRow } = await import('../../explain/signatures/key-row.ts');
  const facts = readTrustFacts(host);
  // Where no keyring can be seen, only the image tells of the kernel's own keys.
  const whole = parsed.has(ALL) || facts.keyrings.length === 0;
  const counts = await countSigners(host, whole);
  const rows = listKeys(host, facts, { image: whole }).map((key) => keyRow(key, counts));
  if (parsed.has(OPTION.json)) {
    printJson({ kernel: host.kernel, root: host.root === '' ? '/' : host.root, whole, keys: rows }, 1);
  } else if (parsed.has(OPTION.quiet)) {
    print(rows.map(({ id }) => `${id}\n`).join(''));
  } else {
    const { keysText } = await import('../../report/trust/keys-text.ts');
    print(keysText(rows, whole, terminalAt(1)));
  }
  return EXIT.done;
}

async function status(parsed: Arguments): Promise<number> {
  const places = await placesOf(parsed);
  const stand = await stateOf(parsed, places);
  const { isUsable } = await import('../../trust/enrolment/enrolment.ts');
  if (parsed.has(OPTION.quiet) && !parsed.has(OPTION.json)) print(`${stand.state}\n`);
  else await tellState(parsed, places, stand);
  return isUsable(stand.state) ? EXIT.done : EXIT.negative;
}

/** Where the key stands, as JSON or in sentences. */
async function tellState(
  parsed: Arguments,
  places: MokPlaces,
  { facts, state }: Awaited<ReturnType<typeof stateOf>>,
): Promise<void> {
  if (parsed.has(OPTION.json)) {
    const { isUsable } = await import('../../trust/enrolment/enrolment.ts');
    printJson({ key: places.key, certificate: places.certificate, state, usable: isUsable(state) }, 1);
    return;
  }
  const { enrolmentText } = await import('../../report/trust/enrolment-text.ts');
  print(enrolmentText(state, facts, places, Math.min(80, terminalAt(1).width)));
}

async function generate(parsed: Arguments): Promise<number> {
  const places = await placesOf(parsed);
  const { writeMok } = await import('../../trust/mok-files.ts');
  const made = writeMok(places, {
    commonName: parsed.value(NAME),
    form: parsed.has(DKMS) ? 'dkms' : 'modules',
  });
  if (made.kind === 'failed') throw new PlugdError('system', made.why);
  if (made.kind === 'half')
    throw new PlugdError('unreadable', `${made.there} is there, and ${made.missing} is missing`, {
      remedy: made.remedy,
    });
  if (made.kind === 'there')
    throw new PlugdError('unsupported', `${places.key} and ${places.certificate} are there already`, {
      remedy: 'plugd keys status says where the key stands',
    });
  if (parsed.has(OPTION.json)) printJson({ key: places.key, certificate: places.certificate }, 1);
  else if (!parsed.has(OPTION.quiet)) print(`made ${places.key} and ${places.certificate}\n`);
  return EXIT.done;
}

async function enroll(parsed: Arguments): Promise<number> {
  const places = await placesOf(parsed);
  const stand = await stateOf(parsed, places);
  const { facts, state } = stand;
  const { enrolmentObstacle } = await import('../../trust/enrolment/enrolment.ts');
  const obstacle = enrolmentObstacle(facts);
  if (obstacle !== undefined) throw new PlugdError('unsupported', `${places.certificate}: ${obstacle}`);
  if (state === 'trusted' || state === 'waiting' || facts.enrolled) {
    await tellState(parsed, places, stand);
    return state === 'trusted' ? EXIT.done : EXIT.negative;
  }
  if (!(await ask(parsed, places))) return EXIT.negative;
  const after = await stateOf(parsed, places);
  if (parsed.has(OPTION.json) || !parsed.has(OPTION.quiet)) await tellState(parsed, places, after);
  return EXIT.done;
}

/** Asks shim through mokutil, or without it; false when mokutil failed, which has told why. */
async function ask(parsed: Arguments, places: MokPlaces): Promise<boolean> {
  const hashFile = parsed.value(HASH);
  const { spawnSync } = await import('node:child_process');
  const hash = hashFile === undefined ? [] : ['--hash-file', hashFile];
  const run = spawnSync('mokutil', ['--import', places.certificate, ...hash], {
    // Standard output is for JSON alone.
    stdio: ['inherit', parsed.has(OPTION.json) ? 2 : 'inherit', 'inherit'],
  });
  if (run.error === undefined) return run.status === 0;
  const { readCertificate } = await import('../../trust/signing-key.ts');
  const { askPassword, readHashFile } = await import('./password.ts');
  const { requestEnrolment } = await import('../../trust/enrolment/mok-request.ts');
  const certificate = readCertificate('', places.certificate);
  if (certificate.kind === 'no-key') throw new PlugdError('unreadable', certificate.why);
  const password = hashFile === undefined ? await askPassword() : readHashFile(hashFile);
  const request = requestEnrolment(hostOf(parsed, true), certificate.der, password);
  if (request.kind === 'failed') throw new PlugdError('system', request.why);
  if (request.kind === 'waiting')
    throw new PlugdError('unsupported', `a request waits for the next boot already: ${request.names.join(', ')}`, {
      remedy: 'reboot and answer it first; or install the package mokutil, which adds to it',
    });
  return true;
}

async function stateOf(parsed: Arguments, places: MokPlaces) {
  const host = hostOf(parsed, true);
  if (host.root !== '')
    throw new PlugdError('usage', 'the state of a key is that of the running machine: leave out --root');
  const { readEnrolmentFacts } = await import('../../trust/enrolment/enrolment-facts.ts');
  const { enrolmentOf } = await import('../../trust/enrolment/enrolment.ts');
  const facts = readEnrolmentFacts(host, places);
  return { facts, state: enrolmentOf(facts) };
}

async function placesOf(parsed: Arguments): Promise<MokPlaces> {
  const { DKMS_MOK } = await import('../../trust/mok-files.ts');
  return {
    key: parsed.value(KEY) ?? DKMS_MOK.key,
    certificate: parsed.value(CERTIFICATE) ?? DKMS_MOK.certificate,
  };
}
