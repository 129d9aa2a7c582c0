import type { ConfigSet } from './modprobe.ts';

/** Configuration made to show each rule of the grammar, and to break it. */
export const CONFIG_SETS: Readonly<Record<string, ConfigSet>> = {
  nothing: { 'a/a.conf': '' },
  'every directive': {
    'a/a.conf':
      'alias a b\nblacklist c\ninstall d /bin/true\nremove e /bin/false x\noptions f g=1\nsoftdep h pre: i post: j\n',
  },
  masking: {
    'a/x.conf': 'blacklist from-a\n',
    'b/x.conf': 'blacklist from-b\n',
    'a/empty.conf': '',
    'b/empty.conf': 'blacklist masked\n',
    'b/other.conf': 'blacklist seen\n',
  },
  'order of names': {
    'a/b.conf': 'options m n=2\n',
    'b/a.conf': 'options m n=1\n',
    'a/Z.conf': 'options m n=0\n',
    'b/~.conf': 'options m n=3\n',
    'a/10-x.conf': 'options m n=-1\n',
  },
  'names that do not count': {
    'a/.hidden.conf': 'blacklist no\n',
    'a/.conf': 'blacklist no\n',
    'a/x.conf~': 'blacklist no\n',
    'a/x.conf.bak': 'blacklist no\n',
    'a/README': 'blacklist no\n',
    'a/x.conf': 'blacklist yes\n',
  },
  'around modules.softdep': {
    'a/modules.aaa.conf': 'softdep btrfs pre: first\n',
    'a/modules.zzz.conf': 'softdep btrfs pre: last\n',
  },
  continuation: {
    'a/a.conf': 'options a \\\n  b=1 \\\n  c=2\nblack\\\nlist d\n\\\n\\\nblacklist e\noptions f g=\\\n1\n',
  },
  backslashes: { 'a/a.conf': 'install a echo \\"x\\" \\\\ \\t \\$y\nblacklist b\\-c\nalias d\\*e f\n' },
  comments: {
    'a/a.conf':
      '# one\n#two\n  # three\nblacklist a # four\noptions b c=1 # five\n#six \\\nblacklist seven\nblacklist eight#\n',
  },
  'odd spacing': {
    'a/a.conf':
      '  blacklist\ta  \n\t \tblacklist  b\t\n\n \n\t\noptions  c   d=1\te=2  \ninstall\t f \t g  h \nalias   i\t\tj   k\nremove l  \toptions x\n',
  },
  'odd spacing in softdeps': {
    'a/a.conf':
      'softdep a  pre: b\nsoftdep c   pre: d  e\tpost:\tf \nsoftdep g pre: h pre: j post: i\nsoftdep k l pre: m\nsoftdep n  \nsoftdep o p\nsoftdep q\tpre:\tr\nsoftdep s pre:t\nsoftdep u pre: post: v\nsoftdep w post:\n',
  },
  'control characters': {
    'a/a.conf': 'blacklist a\r\noptions b c=1\r\n\vblacklist d\nblacklist e\vf\nblacklist \fg\nsoftdep h pre:\vi\n',
  },
  'NUL and bytes that are not UTF-8': {
    'a/a.conf': 'blacklist a\0b\nblacklist \xe9\xff\nalias \xc3\xa9* m\noptions a b=\x80\n\0\nblacklist c\n',
  },
  'no newline at the end': { 'a/a.conf': 'blacklist a\nblacklist b', 'a/b.conf': 'blacklist c\\\n' },
  dashes: {
    'a/a.conf':
      'alias a-b c-d\nblacklist e-f\ninstall g-h i-j\nremove k-l m-n\noptions o-p q-r=-1\nsoftdep s-t pre: u-v post: w-x\n',
  },
  brackets: {
    'a/a.conf':
      'alias a[b-c]-d e-f\nalias g[-] h\nalias i[!-j]k l\nblacklist [m-n]\ninstall o[p-q]* r\noptions s[t-]u v=1\nsoftdep w[x-y] pre: z[-]\n',
  },
  'brackets without a partner': {
    'a/a.conf':
      'alias a[b c\nalias d]e f\nalias g h[\nblacklist [[i]\nblacklist []]\noptions j] k=1\nblacklist l[m]n]\n',
  },
  'missing words': {
    'a/a.conf':
      'alias\nalias a\nblacklist\nblacklist \ninstall\ninstall b\ninstall c \nremove d\noptions e\noptions f \noptions g  \nsoftdep\nsoftdep h\nsoftdep i \nblacklist j\n',
  },
  'too many words': { 'a/a.conf': 'alias a b c d\nblacklist e f g\n' },
  'unknown directives': { 'a/a.conf': 'Blacklist a\nblacklisted b\ninclude c\nconfig d\n#\n!\nalias e f\nwhat\n' },
  'the same again': {
    'a/a.conf':
      'blacklist a\nblacklist a\noptions b c=1\noptions b c=1\nalias d e\nalias d e\ninstall f g\ninstall f h\n',
  },
  wildcards: {
    'a/a.conf': 'alias a*b? c\ninstall d* e\nremove ?f g\nsoftdep h*-i pre: j*\noptions k* l=1\nblacklist m*\n',
  },
  quotes: { 'a/a.conf': `options a b="c d" e='f'\ninstall "g h" i\nalias 'j' k\n` },
  'long lines': {
    'a/a.conf': `blacklist ${'a'.repeat(5000)}\noptions b ${'c=1 '.repeat(3000)}\nsoftdep d pre: ${'e '.repeat(3000)}\n`,
  },
  'slashes and colons': {
    'a/a.conf':
      'alias pci:v00001AF4d*sv*sd*bc*sc*i* a\nalias of:Nx-yT*C* b\nalias /dev/a c\nblacklist kernel/drivers/x.ko\n',
  },
};

/** Kernel command lines, likewise. */
export const COMMAND_LINES: Readonly<Record<string, string>> = {
  'plain words': 'quiet root=/dev/sda1 ro a.b=1 c-d.e-f=g-h i.j\n',
  quotes: 'a.b="c d" "e.f=g h" i.j=k"l m"n "o.p" q.r\n',
  'open quotes': 'a.b=1 c.d="e f\n',
  'misplaced quotes': 'a"b.c=d" "e f.g=h" i."j"=k "l".m=n o.p=q\n',
  'dots and equals': 'a.b.c=1 d=e.f g.h=i.j=k l. m.=n .o .p=q . r.s= =t.u v=.w\n',
  'white space': 'a.b=1\tc.d=2\ve.f=3\fg.h=4\ri.j=5   k.l=6 \n',
  brackets: 'a[b-c]-d.e=1 f.g[h]=2\n',
  blacklists:
    'modprobe.blacklist=a,b-c,,d modprobe.blacklist= "modprobe.blacklist=e f" modprobe.blacklist modprobe.x=y modprobe.blacklist=g.h=i\n',
  nothing: '\n',
  'too long': `a.b=1 ${'x'.repeat(4080)} c.d=123456789\n`,
};
