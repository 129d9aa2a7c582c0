/** Text inside XML 1.0. Builds text only. */
import { readable } from '../terminal.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** What `readable` lets pass and XML does not allow: halves of surrogate pairs, U+FFFE and U+FFFF. */
const FORBIDDEN = /[\ud800-\udfff\ufffe\uffff]/gu;

/**
 * Machine text for an element or an attribute in double quotes.
 *
 *     xmlText('a<b\u0000')   // 'a&lt;b\\x00'
 *
 * Source: Extensible Markup Language 1.0, production 2.
 */
export function xmlText(text: string): string {
  return readable(text)
    .replaceAll(FORBIDDEN, (character) => String.raw`\u${character.charCodeAt(0).toString(16)}`)
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}
