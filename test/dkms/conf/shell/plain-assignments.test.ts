import t from 'tap';
import { parsePlainly } from '../../../../agent/dkms/conf/shell/plain-assignments.ts';

/** The assignments as `NAME[index]=text$variable`; `shell` where the shell must read the file. */
function shown(text: string): string {
  const found = parsePlainly(text);
  if (found === undefined) return 'shell';
  return found
    .map(({ name, index, parts }) => {
      const value = parts.map((part) => ('text' in part ? part.text : `<${part.variable}>`)).join('');
      return `${name}[${index}]=${value}`;
    })
    .join(';');
}

t.test('files and their assignments', async (t) => {
  const rows: ReadonlyArray<readonly [rule: string, text: string, expected: string]> = [
    ['nothing', '', ''],
    ['comments and blank lines', '# a\n\n \t# b', ''],
    ['one', 'A=1\n', 'A[0]=1'],
    ['no newline at the end', 'A=1', 'A[0]=1'],
    ['an element', 'A[12]=x\n', 'A[12]=x'],
    ['octal to the shell', 'A[012]=x\n', 'shell'],
    ['an empty value', 'A=\nB=""\n', 'A[0]=;B[0]='],
    ['a comment behind it', 'A=1 # b\nB=2#c\n', 'A[0]=1;B[0]=2#c'],
    ['quotes of both kinds in one word', `A=a"b c"'d $e'f\n`, 'A[0]=ab cd $ef'],
    ['a variable', 'A="$B/${C}"$D\n', 'A[0]=<B>/<C><D>'],
    ['an escaped sign', 'A=\\$B\\ c\n', 'A[0]=$B c'],
    ['in double quotes a backslash before another sign is itself', 'A="\\d\\$"\n', 'A[0]=\\d$'],
    ['a line that goes on', 'A=a\\\nb\n', 'A[0]=ab'],
    ['over several lines', 'A="a\nb"\n', 'A[0]=a\nb'],
    ['a quote without an end', 'A="a\n', 'shell'],
    ['two words', 'A=1 B=2\n', 'shell'],
    ['a command', 'echo a\n', 'shell'],
    ['a command in a value', 'A=$(id)\n', 'shell'],
    ['the same with older signs', 'A=`id`\n', 'shell'],
    ['an expression in braces', 'A=${B:-c}\n', 'shell'],
    ['an array in brackets', 'A=(a b)\n', 'shell'],
    ['a condition', 'if true; then A=1; fi\n', 'shell'],
    ['a second command', 'A=1;B=2\n', 'shell'],
    ['a home', 'A=~/x\n', 'shell'],
    ['NUL', 'A=a\0b\n', 'shell'],
    ['an addition', 'A+=b\n', 'shell'],
    ['blanks around the sign', 'A = b\n', 'shell'],
  ];
  for (const [rule, text, expected] of rows) t.equal(shown(text), expected, rule);
});
