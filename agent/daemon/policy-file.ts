/** Reads the agent's policy file. A file with errors never replaces good rules. */
import { readFileSync } from 'node:fs';
import { fsCode, PlugdError, reason } from '../base/error.ts';
import { toMachineText } from '../base/machine-text.ts';
import type { Problem } from '../base/problem.ts';
import { ALLOW_ALL, type Policy, type PolicyPhase } from '../rules/policy/policy.ts';
import { parsePolicy } from '../rules/policy/policy-text.ts';
import { problemLine } from '../report/problem-line.ts';
import type { AgentStatus } from '../records/agent-status.ts';

/** The result of reading the file. */
export type PolicyLoad =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'new' }
  /** The previous policy still applies. */
  | { readonly kind: 'malformed'; readonly problems: readonly Problem[] };

/** The default place of the policy (`--policy`). */
export const POLICY_FILE = '/etc/plugd/policy.conf';

/** The policy in force, and the file it comes from. */
export class PolicyFile {
  readonly file: string;
  phase: PolicyPhase = 'boot';
  policy: Policy = ALLOW_ALL;
  #text: string | undefined;
  #state: AgentStatus['policy']['state'] = 'none';

  constructor(file: string) {
    this.file = file;
  }

  /** Whether anything is ever denied: without a policy no device need be judged. */
  get judges(): boolean {
    return this.#state !== 'none';
  }

  /** Reads the file. One that is not there allows everything; one with errors changes nothing. */
  load(): PolicyLoad {
    let text: string | undefined;
    try {
      text = readFileSync(this.file, 'latin1');
    } catch (error) {
      if (fsCode(error) !== 'ENOENT' && fsCode(error) !== 'ENOTDIR') {
        if (this.#state !== 'none') this.#state = 'previous';
        const whole = { file: this.file, line: 0, column: 0 } as const;
        const message = toMachineText(reason(error));
        return { kind: 'malformed', problems: [{ ...whole, severity: 'error', code: 'unreadable', message }] };
      }
    }
    if (text === this.#text && this.#state !== 'previous') return { kind: 'unchanged' };
    if (text === undefined) {
      this.policy = ALLOW_ALL;
      this.#state = 'none';
    } else {
      const read = parsePolicy({ file: this.file, text });
      if (read.kind === 'malformed') {
        this.#state = 'previous';
        return read;
      }
      this.policy = read.policy;
      this.#state = 'active';
    }
    this.#text = text;
    return { kind: 'new' };
  }

  /** The lines that do not hold yet, because boot is not over: `/etc/plugd/policy.conf:3: after boot deny subsystem=usb`. */
  get pending(): readonly string[] {
    if (this.phase === 'after-boot') return [];
    const { rules, atBoot, afterBoot } = this.policy;
    const lines = rules.filter((rule) => rule.afterBoot).map(({ place, text }) => ({ place, text }));
    const { place, word } = afterBoot;
    if (place !== undefined && afterBoot !== atBoot) lines.push({ place, text: `after boot default ${word}` });
    return lines
      .toSorted((one, other) => one.place.line - other.place.line)
      .map(({ place: { file, line }, text }) => `${file}:${line}: ${text}`);
  }

  /** For the status. */
  status(): AgentStatus['policy'] {
    const { pending } = this;
    return {
      state: this.#state,
      file: this.file,
      rules: this.policy.rules.length,
      phase: this.phase,
      ...(pending.length === 0 ? {} : { pending }),
    };
  }
}

/** The error that stops an agent at its start: half a policy is not a policy. Its code is `configuration`. */
export function policyError(problems: readonly Problem[]): PlugdError {
  const lines = problems.map(problemLine);
  return new PlugdError('configuration', lines.join('\nplugd: '), {
    remedy: 'fix it, or start with --policy-optional to go on without it',
  });
}
