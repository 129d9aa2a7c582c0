/** The look and the behaviour of a page: files beside this one, which the build puts into the bundle. Reads those files only. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** `page.css` and `page.js`. Errors: those of readFileSync, where the library is used without the sources. */
export interface PageFiles {
  readonly style: string;
  readonly script: string;
}

/** Both files, from the project's folder agent/report/page/. */
export function pageFiles(): PageFiles {
  return { style: fileText('page.css'), script: fileText('page.js') };
}

// Seen from dist/agent/report/page/. In a bundle the build puts the text itself here.
function fileText(name: string): string {
  return readFileSync(new URL(`../../../../agent/report/page/${name}`, import.meta.url), 'utf8');
}

/** `'sha256-…'`, as a Content-Security-Policy names what it allows. */
export function policySource(text: string): string {
  return `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
}
