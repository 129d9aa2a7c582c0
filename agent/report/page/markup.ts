/**
 * HTML in which no text can become markup: a template escapes whatever is put into it, unless a template made that. Text is machine
 * text (latin1), shown as `readable` shows it on a terminal; values of attributes stand in double quotes.
 */
import { readable, readablePath } from '../terminal.ts';

declare const isMarkup: unique symbol;

/** Text of a page that this file's template made. */
export interface Markup {
  readonly [isMarkup]: true;
}

/** What a template takes: text and numbers are escaped, `undefined` and `false` leave nothing. */
export type Piece = string | number | undefined | false | Markup | readonly Markup[];

class Made implements Markup {
  declare readonly [isMarkup]: true;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * A piece of a page. What a template itself says is ASCII (`&hellip;`): a bundle keeps it as it is written, and V8 wants bundles in ASCII.
 *
 *     toText(html`<b>${'<i>'}</b>`)   // '<b>&lt;i&gt;</b>'
 */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  let own = tidied.get(parts);
  if (own === undefined) tidied.set(parts, (own = parts.map((part) => part.replaceAll(/\n\s+/g, '\n'))));
  let text = own[0] ?? '';
  pieces.forEach((piece, i) => {
    text += pieceText(piece) + (own[i + 1] ?? '');
  });
  return new Made(text);
}

/** Templates without their indentation, which the page need not carry. */
const tidied = new WeakMap<TemplateStringsArray, readonly string[]>();

/** A person's text, such as an ordinary path: machine text needs no such call. */
export function person(text: string): Markup {
  return new Made(escaped(readablePath(text)));
}

/**
 * Text of plugd's own that is markup already. A page's style and script go in with their elements: a blank more, and their digest in
 * the page's policy is another.
 */
export function raw(text: string): Markup {
  return new Made(text);
}

/** The page as text. */
export function toText(markup: Markup): string {
  return pieceText(markup);
}

function pieceText(piece: Piece): string {
  if (piece instanceof Made) return piece.text;
  if (typeof piece === 'string') return escaped(readable(piece));
  if (typeof piece === 'number') return String(piece);
  if (piece === undefined || piece === false) return '';
  let text = '';
  for (const each of piece as readonly Markup[]) text += pieceText(each);
  return text;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return /[&<>"']/.test(text) ? text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '') : text;
}
