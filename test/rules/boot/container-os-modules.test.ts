import t from 'tap';
import { readYaml } from '../../../agent/facts/config/yaml-text.ts';
import { readCloudModules, type CloudDialect } from '../../../agent/rules/boot/container-os-modules.ts';

interface Row {
  readonly dialect: CloudDialect;
  readonly files?: Readonly<Record<string, string>>;
  readonly commandLine?: string;
  /** `FILE:LINE NAME(PARAMETERS)`. */
  readonly entries: readonly string[];
  readonly hidden?: readonly string[];
  /** `FILE:LINE SEVERITY message`. */
  readonly problems?: readonly RegExp[];
}

const ROS = 'rancher:\n  modules:\n';

const ROWS: Readonly<Record<string, Row>> = {
  'RancherOS: a list, entries with parameters': {
    dialect: 'rancher',
    files: { a: `#cloud-config\n${ROS}    - loop max_loop=8 x=1\n    - "nf-nat"\n` },
    entries: ['a:4 loop(max_loop=8 x=1)', 'a:5 nf-nat'],
  },
  'RancherOS: a list in one line': {
    dialect: 'rancher',
    files: { a: 'rancher: {modules: [a, b]}' },
    entries: ['a:1 a', 'a:1 b'],
  },
  'RancherOS: the later file wins': {
    dialect: 'rancher',
    files: { a: `${ROS}  - x`, b: 'rancher: {network: {}}', c: `${ROS}  - y` },
    entries: ['c:3 y'],
    hidden: ['a:3 x by c'],
  },
  'RancherOS: an empty list takes the place of another': {
    dialect: 'rancher',
    files: { a: `${ROS}  - x`, b: 'rancher: {modules: []}' },
    entries: [],
    hidden: ['a:3 x by b'],
  },
  'RancherOS: the command line wins': {
    dialect: 'rancher',
    files: { a: `${ROS}  - x` },
    commandLine: "rancher.modules=['loop max_loop=8',b]",
    entries: ['cmd:1 loop(max_loop=8)', 'cmd:1 b'],
    hidden: ['a:3 x by cmd'],
  },
  'RancherOS: a text is refused there, and counts here': {
    dialect: 'rancher',
    files: { a: 'rancher: {modules: loop a=1}' },
    entries: ['a:1 loop(a=1)'],
    problems: [/^a:1 warning .*write \[loop a=1\]/],
  },
  'RancherOS: k3os.modules is not for it': { dialect: 'rancher', commandLine: 'k3os.modules=a', entries: [] },
  'RancherOS: two blanks, an empty entry': {
    dialect: 'rancher',
    files: { a: 'rancher: {modules: ["a  b=1", ""]}' },
    entries: ['a:1 a(b=1)'],
  },
  'RancherOS: numbers and words of YAML are names': {
    dialect: 'rancher',
    files: { a: 'rancher: {modules: [8021q, 010, yes]}' },
    entries: ['a:1 8021q', 'a:1 010', 'a:1 yes'],
  },
  'RancherOS: items that are no texts': {
    dialect: 'rancher',
    files: { a: `${ROS}  - name: x\n  - loop` },
    entries: ['a:4 loop'],
    problems: [/^a:3 error this item of rancher\.modules is not a text/],
  },
  'a file that is no YAML is named, the others count': {
    dialect: 'rancher',
    files: { a: `${ROS}  - x`, b: 'rancher: [\n' },
    entries: ['a:3 x'],
    problems: [/^b:\d error not YAML/],
  },
  'a map is no list': {
    dialect: 'rancher',
    files: { a: 'rancher: {modules: {a: b}}' },
    entries: [],
    problems: [/no list/],
  },
  'Windows line ends': {
    dialect: 'rancher',
    files: { a: 'rancher:\r\n  modules:\r\n  - loop\r\n' },
    entries: ['a:3 loop'],
  },
  'k3OS: a list; a text is a list of one': {
    dialect: 'k3os',
    files: { a: 'k3os: {modules: [x]}', b: 'k3os: {modules: kvm a=1}' },
    entries: ['b:1 kvm(a=1)'],
    hidden: ['a:1 x by b'],
  },
  'k3OS: options add up, after the file of the system and before the others': {
    dialect: 'k3os',
    files: { '/k3os/system/config.yaml': 'k3os: {modules: [x]}' },
    commandLine: 'k3os.modules=a k3os.modules=b',
    entries: ['cmd:1 a', 'cmd:1 b'],
    hidden: ['/k3os/system/config.yaml:1 x by cmd'],
  },
  'k3OS: a local file comes after the command line': {
    dialect: 'k3os',
    files: { '/var/lib/rancher/k3os/config.yaml': 'k3os: {modules: [x]}' },
    commandLine: 'k3os.modules=a',
    entries: ['/var/lib/rancher/k3os/config.yaml:1 x'],
    hidden: ['cmd:1 a by /var/lib/rancher/k3os/config.yaml'],
  },
  'Talos: names with parameters, of all documents': {
    dialect: 'talos',
    files: {
      a: 'machine:\n  kernel:\n    modules:\n      - name: brd\n        parameters: [rd_nr=2, max_part=1]\n      - name: nbd\n---\nkind: X\n---\nmachine: {kernel: {modules: [{name: drbd}]}}\n',
    },
    entries: ['a:4 brd(rd_nr=2 max_part=1)', 'a:6 nbd', 'a:10 drbd'],
  },
  'Talos: an item without a name': {
    dialect: 'talos',
    files: { a: 'machine: {kernel: {modules: [brd]}}' },
    entries: [],
    problems: [/is not name: MODULE/],
  },
  nothing: { dialect: 'talos', entries: [] },
};

for (const [rule, { dialect, files = {}, commandLine = '', entries, hidden = [], problems = [] }] of Object.entries(
  ROWS,
)) {
  t.test(rule, (t) => {
    const found = readCloudModules(dialect, {
      files: Object.entries(files).map(([file, text]) => ({ file, text })),
      commandLine: { file: 'cmd', text: commandLine },
      readYaml,
    });
    const shown = (entry: (typeof found.entries)[number]) =>
      `${entry.place.file}:${entry.place.line} ${entry.name}${entry.parameters === '' ? '' : `(${entry.parameters})`}`;
    t.same(found.entries.map(shown), entries);
    t.same(
      found.hidden.map((entry) => `${shown(entry)} by ${entry.by}`),
      hidden,
    );
    t.match(
      found.problems.map(({ file, line, severity, message }) => `${file}:${line} ${severity} ${message}`),
      problems,
    );
    t.equal(found.problems.length, problems.length);
    t.end();
  });
}
