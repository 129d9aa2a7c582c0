/** What the agent is doing (docs/control-socket.schema.json). Times are ISO 8601, durations ms, sizes bytes. */
import type { ModuleName } from '../base/names.ts';
import type { UeventCounters } from '../facts/uevents/uevent-socket.ts';
import type { KernelRequests } from './coldplug-run.ts';
import type { Waiting } from './waiting.ts';

/** A module that is being inserted, or waits for its turn. */
export interface AgentTask {
  readonly module: ModuleName;
  readonly state: 'waiting' | 'inserting';
  /** Since when, ms. */
  readonly ms: number;
  /** What was asked for, and the device. */
  readonly name: string;
  readonly device: string;
}

/** A module that could not be loaded. */
export interface AgentFailure {
  readonly time: string;
  readonly module: ModuleName;
  /** `unknown-symbol (ENOENT): needs a symbol that no loaded module exports`. */
  readonly why: string;
  readonly name: string;
  readonly device: string;
}

/** What the agent is doing. */
export interface AgentStatus {
  readonly version: string;
  readonly pid: number;
  readonly kernel: string;
  readonly state: 'coldplug' | 'settled' | 'busy' | 'stopping';
  readonly started: string;
  readonly uptimeMs: number;
  /** From the start to the first time that it had settled; undefined until then. */
  readonly coldplugMs?: number | undefined;
  readonly generation: {
    readonly number: number;
    readonly since: string;
    readonly moduleDir: string;
    /** Why the files on disk are not what it works with. */
    readonly behind?: string | undefined;
  };
  readonly policy: {
    /** `none`: no file; `previous`: the file has errors, what it said before still holds. */
    readonly state: 'none' | 'active' | 'previous';
    readonly file: string;
    readonly rules: number;
    readonly phase: 'boot' | 'after-boot';
    /** Lines that do not hold yet, because boot is not over: `/etc/plugd/policy.conf:3: after boot deny subsystem=usb`. */
    readonly pending?: readonly string[];
  };
  readonly devices: number;
  readonly modaliases: number;
  readonly insertions: {
    readonly inserted: number;
    readonly alreadyLoaded: number;
    readonly commands: number;
    readonly failed: number;
    readonly skipped: number;
    /** Inits that found no device, and what was skipped because of that: no failures. */
    readonly noDevice: number;
    readonly blocked: number;
  };
  readonly uevents: UeventCounters & {
    readonly used: number;
    /** Runs of numbers that belonged to other network namespaces. */
    readonly foreignGaps: number;
    /** Times that the socket's buffer was full, and the uevents lost by that. */
    readonly overruns: number;
    readonly overrunLost: number;
    readonly resyncs: number;
    readonly seqnum: number;
    readonly receiveBuffer: number;
  };
  readonly kernelRequests: KernelRequests & {
    /** Whether /proc/sys/kernel/modprobe leads here. */
    readonly served: boolean;
  };
  readonly tasks: readonly AgentTask[];
  /** What a settle would wait for. */
  readonly waiting: readonly Waiting[];
  /** The last ones, newest last. */
  readonly failures: readonly AgentFailure[];
  readonly rss: number;
}
