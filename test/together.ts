/**
 * Several test files in one program, one after the other: `node dist/test/together.js FILE…`. Most files of a pure room take less time
 * than the start of Node and tap. The next file is imported when the tests of the one before have ended, so that none sees another's folders;
 * a subtest between them says where its TAP ends.
 */
import { pathToFileURL } from 'node:url';
import { END } from './file-ends.ts';

const files = process.argv.splice(2);
// tap names folders after what runs, with all its arguments; two programs at once must not share one.
process.argv[1] = files[0] ?? '';
const { default: t } = await import('tap');

for (const file of files) {
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    t.fail(`cannot be imported: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  await t.test(`${END}${file}`, (t) => {
    t.pass();
    t.end();
  });
}
