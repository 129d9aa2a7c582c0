/**
 * Answers shim's MokManager over the serial console, as a person at the machine does: any key, "Enroll MOK", "Continue", "Yes", the
 * password, "Reboot". Each key is sent when the screen that it answers is there, however long that takes.
 */
import { bootFlash, type LabMachine, type Laboratory } from './laboratory.ts';

const DOWN = '\u001b[B';
const ENTER = '\r';
const ESCAPES = new RegExp('\\u001b\\[[0-9;=?]*[A-Za-z]', 'g');

/** What must stand on the screen since the last answer, and the answer. */
type Answer = readonly [screen: RegExp, keys: string];

/** A menu draws all its lines again when another one is chosen. */
const answers = (password: string): readonly Answer[] => [
  [/Press any key to perform MOK management/, ENTER],
  [/Continue boot[^]*Enroll MOK[^]*Enroll hash from disk/, DOWN],
  [/Enroll MOK[^]*Enroll hash from disk/, ENTER],
  [/View key 0[^]*Continue/, DOWN],
  [/Continue/, ENTER],
  [/Enroll the key[^]*No[^]*Yes/, DOWN],
  [/Yes/, ENTER],
  [/Password:/, `${password}${ENTER}`],
  [/Reboot[^]*Enroll hash from disk/, ENTER],
];

/** Starts a machine with that flash, whose shim asks for a new key, enrols it, and lets the machine restart; it is up then. */
export async function bootAndEnrol(lab: Laboratory, flash: Buffer, password: string): Promise<LabMachine> {
  const left = [...answers(password)];
  let seen = 0;
  const started = await bootFlash(lab, flash, (console, type) => {
    const said = console.replaceAll(ESCAPES, '');
    const [screen, keys] = left[0] ?? [];
    if (screen === undefined || keys === undefined || !screen.test(said.slice(seen))) return;
    seen = said.length;
    left.shift();
    type(keys);
  });
  if (left.length === 0) return started;
  const { console } = started.machine;
  await started[Symbol.asyncDispose]();
  throw new Error(`MokManager did not show ${left[0]?.[0].source}:\n${console.slice(-3000)}`);
}
