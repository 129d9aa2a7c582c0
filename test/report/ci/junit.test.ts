import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { junit } from '../../../agent/report/ci/junit.ts';
import { commandPath } from '../../fixtures/commands.ts';
import { JUNIT_SCHEMA } from './junit-schema.ts';
import { REPLAYS } from './replays.ts';

const xmllint = commandPath('xmllint');
const skip = xmllint === undefined ? 'there is no xmllint (Debian: apt install libxml2-utils)' : false;

t.test('the document is what the schema says', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-junit-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [schema, file] = [join(folder, 'junit.xsd'), join(folder, 'a.xml')];
  writeFileSync(schema, JUNIT_SCHEMA);
  const valid = (text: string) => {
    writeFileSync(file, text);
    return spawnSync(xmllint ?? '', ['--noout', '--nonet', '--schema', schema, file], { encoding: 'utf8' });
  };
  for (const replays of [REPLAYS, { ...REPLAYS, machines: [], unread: [] }]) {
    const { status, stderr } = valid(junit(replays));
    t.equal(status, 0, stderr);
  }
  t.not(valid('<testsuites tests="x"/>').status, 0, 'the schema refuses something');
  t.end();
});

t.test('what each fate is', (t) => {
  const text = junit(REPLAYS);
  t.match(
    text,
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="[^"]*" tests="6" failures="3" errors="1" time="0">/,
  );
  t.match(
    text,
    '<testsuite name="lab/one.two.jsonl (Acme One)" tests="3" failures="1" errors="0" skipped="1" time="0">',
  );
  t.match(text, '<testcase classname="one_two.pci" name="/devices/pci0/k drv" time="0"/>', 'kept');
  t.match(
    text,
    /name="\/devices\/pci0\/l drv" time="0">\s*<failure type="lost" message="lost: drv: because of l">verdict no-match: a reason\nmodalias pci:v1d1\nbecause because of l\nremedy a remedy<\/failure>/,
  );
  t.match(text, /name="\/devices\/pci0\/u drv" time="0">\s*<skipped message="unknown: drv: because of u"\/>/);
  t.notMatch(text, '/devices/pci0/n', 'what had no driver is no case');
  t.match(
    text,
    /<testcase classname="recording" name="broken&lt;.jsonl" time="0">\s*<error type="usage" message="broken&lt;.jsonl:1: not JSON"\/>/,
  );
  t.end();
});

t.test('no name is markup, or a character that XML has not', (t) => {
  const text = junit(REPLAYS);
  t.notMatch(text, /<b>|\u0001|\uFFFE/);
  t.match(text, String.raw`a&quot;&lt;b&gt;&amp;|*_[x](http://e.org)@me\x01\ufffe]]&gt;`);
  t.end();
});
