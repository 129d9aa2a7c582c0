/** What diagnostics ask a running agent. Asks only; an agent that hangs, or answers only root, is no error. */
import { existsSync } from 'node:fs';
import { PlugdError } from '../../base/error.ts';
import type { ControlClient } from '../../daemon/control/control-client.ts';
import { controlPath, RUN_DIR } from '../../daemon/control/run-dir.ts';
import type { AgentFacts } from '../../explain/doctor/health-facts.ts';
import type { AgentStatus } from '../../records/agent-status.ts';
import type { LedgerEntry } from '../../records/ledger.ts';

/** Diagnostics do not wait for an agent that hangs. */
const ANSWER_MS = 2000;

/** What the agent says of itself; undefined when none runs. One that does not answer, or only root, runs all the same. */
export async function agentFacts(): Promise<AgentFacts | undefined> {
  if (!existsSync(controlPath(RUN_DIR))) return undefined;
  const status = (await answerOf(async (client) => client.ask('status', {}))) as AgentStatus | undefined;
  return { pending: status?.policy.pending ?? [], version: status?.version };
}

/** Its entries, or those of one module; undefined when no agent runs, or it refuses access. */
export async function agentLedger(module?: string): Promise<readonly LedgerEntry[] | undefined> {
  const entries: LedgerEntry[] = [];
  const end = await answerOf(async (client) =>
    client.ask('log', module === undefined ? {} : { module }, (item) => {
      if ('module' in (item as object)) entries.push(item as LedgerEntry);
    }),
  );
  return end === undefined ? undefined : entries;
}

async function answerOf(ask: (client: ControlClient) => Promise<unknown>): Promise<unknown> {
  const control = await import('../../daemon/control/control-client.ts');
  try {
    const client = await control.ControlClient.open(RUN_DIR);
    const late = setTimeout(() => client.close(), ANSWER_MS);
    return await ask(client).finally(() => {
      clearTimeout(late);
      client.close();
    });
  } catch (error) {
    if (error instanceof PlugdError) return undefined;
    throw error;
  }
}
