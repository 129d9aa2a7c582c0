import t from 'tap';
import { html, person, raw, toText } from '../../../agent/report/page/markup.ts';

t.test('what is put into a template is text, whatever it is', (t) => {
  const rows: ReadonlyArray<readonly [name: string, made: Parameters<typeof toText>[0], text: string]> = [
    ['an element', html`<b>${'<i>'}</b>`, '<b>&lt;i&gt;</b>'],
    ['quotes in an attribute', html`<b title="${`"'`}"></b>`, '<b title="&quot;&#39;"></b>'],
    ['an entity', html`${'&amp;'}`, '&amp;amp;'],
    ['markup of a template', html`<b>${html`<i>x</i>`}</b>`, '<b><i>x</i></b>'],
    ['a list of markup', html`${[html`<i></i>`, html`<b></b>`]}`, '<i></i><b></b>'],
    ['a number', html`${0} ${1.5}`, '0 1.5'],
    ['nothing', html`a${undefined}b${false}c`, 'abc'],
    ['UTF-8 as machine text has it', html`${'caf\u00C3\u00A9'}`, 'caf\u00E9'],
    ["a person's text", html`${person('caf\u00E9 <')}`, 'caf\u00E9 &lt;'],
    ['a stray byte', html`${'\u00FF'}`, String.raw`\xff`],
    ['what would turn the direction of writing', html`${'\u202Ea'}`, String.raw`\xe2\x80\xaea`],
    ['a control character', html`${'\u001B[2J'}`, String.raw`\x1b[2J`],
    [
      'the indentation of a template',
      html(Object.assign(['<p>\n      ', '\n  </p>'], { raw: [] }), 'x'),
      '<p>\nx\n</p>',
    ],
    ["plugd's own markup", html`${raw('<style></style>')}`, '<style></style>'],
  ];
  for (const [name, made, text] of rows) t.equal(toText(made), text, name);
  t.end();
});
