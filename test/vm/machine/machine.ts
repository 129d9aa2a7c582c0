/**
 * One virtual machine: Debian's kernel on q35 in software emulation, two processors, no devices but what the test names.
 *
 *     await using machine = await boot({ devices: ['-device', 'virtio-rng-pci'] });
 *     const { status, stdout, wallMs } = await machine.run('plugd', ['coldplug', '--json']);
 *
 * QEMU is a child of this process and is ended by that handle: by stop(), by the machine's time limit, when this process
 * exits or asks for it, and by the kernel (setpriv --pdeathsig) should this process be killed outright.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder } from '../../fixtures/cache.ts';
import { GuestPort, type GuestOptions, type GuestProgram, type GuestResult } from './guest-port.ts';
import { writeInitrd, type GuestFiles, type Image } from './image.ts';
import { Qmp } from './qmp.ts';

/** What is to be booted. */
export interface MachineOptions {
  /** Arguments of QEMU: `['-device', 'virtio-rng-pci']`. */
  readonly devices?: readonly string[];
  /** Added to the kernel's command line. */
  readonly append?: string;
  /** Files put into the machine's root. */
  readonly files?: GuestFiles;
  /** An initramfs instead of the image's; what it starts must be guest.c in the end. */
  readonly initrd?: string;
  readonly cpus?: number;
  /** MiB. */
  readonly memory?: number;
  /** `-machine`, `q35` unless told. */
  readonly type?: string;
  /** Milliseconds the machine may exist; twenty minutes unless told. */
  readonly lifetime?: number;
  /** What starts the kernel instead of QEMU itself: QEMU's arguments, by the parts of the machine. */
  readonly firmware?: (parts: StartParts) => readonly string[];
  /** Types at the console until the machine is up: gets all that it said so far, whenever it says more. It may also restart then. */
  readonly operator?: (said: string, type: (keys: string) => void) => void;
}

/** What a firmware is to start; `folder` is the machine's own, and goes with it. */
export interface StartParts {
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
  readonly folder: string;
}

const ARGUMENTS = [
  // Without an order of boot devices, strict tells the firmware to leave the disks alone: it starts sooner and needs less memory.
  '-boot',
  'strict=on',
  '-accel',
  'tcg,thread=multi',
  '-cpu',
  // The emulator does the fast string moves that the first two promise byte by byte; without them the kernel copies words. The
  // third would be a fifth level of page tables, and each miss of the emulator's TLB walks all levels: a boot takes 1.1 times as long.
  'max,erms=off,fsrm=off,la57=off',
  '-nodefaults',
  '-no-user-config',
  '-display',
  'none',
];

/**
 * Messages below warnings stay in the kernel's own log (dmesg): each line on the serial port would cost time. An emulated
 * processor does not speculate, and page tables of the kernel's own (PTI) would empty the emulator's TLB at each system call. The emulator
 * finds a translation by its address, so with random addresses each program is translated once more at each start: short ones take
 * three times as long, `plugd test` 1.15 times.
 */
const COMMAND_LINE =
  'console=ttyS0 loglevel=4 oops=panic panic=-1 tsc=reliable no_timer_check random.trust_cpu=on mitigations=off norandmaps';

/**
 * Milliseconds of processor time that QEMU may use for a boot; one takes twelve seconds, twenty with a firmware. Beside other work a boot
 * takes longer by the clock, and no more of the processor.
 */
const BOOT_LIMIT = 180_000;

/** What QEMU has running, and the folders to remove, when this process ends. */
const children = new Set<ChildProcess>();
const folders = new Set<string>();
const runFolder = join(cacheFolder(), 'vm', `run-${process.pid}`);
let watching = false;

function cleanUp(): void {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of [...folders, runFolder]) rmSync(folder, { recursive: true, force: true });
}

/** Ends QEMU whichever way this process ends; also removes the folders of processes that could not. */
function watchExit(): void {
  if (watching) return;
  watching = true;
  process.once('exit', cleanUp);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      cleanUp();
      process.kill(process.pid, signal);
    });
  }
  mkdirSync(runFolder, { recursive: true });
  for (const parent of [join(cacheFolder(), 'vm'), tmpdir()]) {
    for (const name of readdirSync(parent)) {
      const pid = /^(?:run-|plugd-vm-)(\d+)/.exec(name)?.[1];
      if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Milliseconds of the processor that a process has used: its own and the kernel's for it (proc(5)); 0 when it is gone. */
function processorTime(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [user = 0, system = 0] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return (user + system) * 10;
  } catch {
    return 0;
  }
}

const initrds = new Map<string, string>();

/** Machines of this process with the same files share one initrd. */
function initrdFor(image: Image, files: GuestFiles): string {
  const key = createHash('sha256');
  for (const [name, content] of Object.entries(files)) {
    key.update(`${name}\0`);
    key.update(typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  const hash = key.digest('hex').slice(0, 12);
  let path = initrds.get(hash);
  if (path === undefined) {
    path = join(runFolder, `initrd-${hash}.cpio`);
    writeInitrd(image, files, path);
    initrds.set(hash, path);
  }
  return path;
}

/** A socket that QEMU connects to: its argument, and the connection. */
async function listen(path: string): Promise<{ connected: Promise<Socket>; close: () => void }> {
  const server = createServer();
  const connected = new Promise<Socket>((done) => server.once('connection', done));
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(path, done);
  });
  return { connected, close: () => server.close() };
}

/** A running machine. */
export class Machine {
  readonly #child: ChildProcess;
  readonly #port: GuestPort;
  readonly #exited: Promise<void>;
  readonly #console: Buffer[];
  readonly qmp: Qmp;
  /** The kernel's release: `6.1.0-56-amd64`. */
  readonly kernel: string;
  /** Milliseconds from the start of QEMU until programs could run. */
  readonly bootMs: number;

  constructor(parts: {
    child: ChildProcess;
    port: GuestPort;
    qmp: Qmp;
    exited: Promise<void>;
    console: Buffer[];
    kernel: string;
    bootMs: number;
  }) {
    this.#child = parts.child;
    this.#port = parts.port;
    this.#exited = parts.exited;
    this.#console = parts.console;
    this.qmp = parts.qmp;
    this.kernel = parts.kernel;
    this.bootMs = parts.bootMs;
  }

  /** QEMU's process. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What the kernel wrote to its console. */
  get console(): string {
    return Buffer.concat(this.#console).toString('latin1');
  }

  /** Runs a program to its end. A program that cannot be started ends with status 127. */
  async run(program: string, args: readonly string[] = [], options: GuestOptions = {}): Promise<GuestResult> {
    return this.start(program, args, options).ended;
  }

  /** Runs a line of the shell to its end. */
  async shell(line: string, options: GuestOptions = {}): Promise<GuestResult> {
    return this.run('sh', ['-c', line], options);
  }

  /** Starts a program and goes on. */
  start(program: string, args: readonly string[] = [], options: GuestOptions = {}): GuestProgram {
    return this.#port.start(program, args, options);
  }

  /** The standard output of a program that must succeed; else an error that shows what it wrote and the console's end. */
  async output(program: string, args: readonly string[] = [], options: GuestOptions = {}): Promise<string> {
    const ended = await this.run(program, args, options);
    if (ended.status === 0) return ended.stdout;
    const words = [program, ...args].join(' ');
    throw new Error(`${words}: status ${ended.status}\n${ended.stdout}${ended.stderr}\n${this.console.slice(-2000)}`);
  }

  /** The names of the loaded modules, sorted. */
  async modules(): Promise<string[]> {
    const lines = (await this.output('cat', ['/proc/modules'])).split('\n').filter((line) => line !== '');
    return lines.map((line) => line.split(' ')[0] ?? '').toSorted();
  }

  /** Ends the machine, as if its plug were pulled, and waits until QEMU is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Boots a machine and resolves when programs can run in it; rejects with the console's text if that never happens. */
export async function boot(image: Image, options: MachineOptions = {}): Promise<Machine> {
  watchExit();
  const {
    devices = [],
    append = '',
    files = {},
    cpus = 2,
    memory = 2048,
    type = 'q35',
    lifetime = 1_200_000,
    firmware,
    operator,
  } = options;
  const initrd = options.initrd ?? initrdFor(image, files);
  // A socket's path may have 107 characters only.
  const folder = mkdtempSync(join(tmpdir(), `plugd-vm-${process.pid}-`));
  folders.add(folder);
  const names = ['console', 'agent', 'qmp'] as const;
  const [consoleEnd, agentEnd, qmpEnd] = await Promise.all([
    listen(join(folder, 'console')),
    listen(join(folder, 'agent')),
    listen(join(folder, 'qmp')),
  ]);
  const sockets = names.flatMap((name) => ['-chardev', `socket,id=${name},path=${join(folder, name)}`]);
  const started = performance.now();
  // A firmware writes its messages to the first two serial ports.
  const second =
    firmware === undefined ? ['-serial', 'chardev:agent'] : ['-device', 'isa-serial,index=2,chardev=agent'];
  const ports = ['-serial', 'chardev:console', ...second, '-mon', 'chardev=qmp,mode=control'];
  const commandLine = `${COMMAND_LINE} ${append}`;
  const kernel =
    firmware === undefined
      ? ['-kernel', image.vmlinux, '-initrd', initrd, '-append', commandLine]
      : firmware({
          kernel: image.tree.image ?? image.vmlinux,
          initrd,
          commandLine: `${commandLine} plugd_port=ttyS2`,
          folder,
        });
  const end = operator === undefined ? ['-no-reboot'] : [];
  const shape = ['-machine', type, ...ARGUMENTS, ...end, '-smp', String(cpus), '-m', String(memory)];
  const command = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...shape, ...sockets, ...ports, ...kernel, ...devices];
  const child = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] });
  children.add(child);
  const complaints: Buffer[] = [];
  const console: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const exited = new Promise<void>((done) => {
    child.once('error', () => done());
    child.once('close', () => done());
  });
  let limit: NodeJS.Timeout | undefined;
  const failure = new Promise<never>((_, failed) => {
    const fail = (what: string) => {
      const said = Buffer.concat(complaints).toString().trim();
      failed(
        new Error(
          [what, said, Buffer.concat(console).toString('latin1').slice(-3000)].filter((part) => part !== '').join('\n'),
        ),
      );
    };
    limit = setInterval(() => {
      if (processorTime(child.pid) > BOOT_LIMIT)
        fail(`the machine was not up after ${BOOT_LIMIT / 1000} s of processor time`);
    }, 1000);
    const life = setTimeout(() => {
      fail(`the machine's ${lifetime / 1000} s were over`);
      child.kill('SIGKILL');
    }, lifetime);
    limit.unref();
    life.unref();
    const gone = (what: string) => {
      children.delete(child);
      clearInterval(limit);
      clearTimeout(life);
      for (const end of [consoleEnd, agentEnd, qmpEnd]) end.close();
      rmSync(folder, { recursive: true, force: true });
      folders.delete(folder);
      fail(what);
    };
    child.once('error', (error) => gone(`QEMU could not be started: ${error.message}`));
    child.once('close', (code, signal) => gone(`QEMU ended (${signal ?? code})`));
  });
  failure.catch(() => {});
  try {
    const up = Promise.all([consoleEnd.connected, agentEnd.connected, qmpEnd.connected]);
    const [consoleSocket, agentSocket, qmpSocket] = await Promise.race([up, failure]);
    let isUp = false;
    consoleSocket.on('data', (chunk) => {
      console.push(chunk);
      if (!isUp) operator?.(Buffer.concat(console).toString('latin1'), (keys) => consoleSocket.write(keys));
    });
    consoleSocket.on('error', () => {});
    const port = new GuestPort(agentSocket);
    const qmp = new Qmp(qmpSocket);
    await Promise.race([qmp.command('qmp_capabilities'), failure]);
    await Promise.race([port.ready, failure]);
    isUp = true;
    clearInterval(limit);
    // A machine that ends later breaks what then waits, with what is known about its end.
    failure.catch((error: unknown) => port.break(error as Error));
    const bootMs = performance.now() - started;
    return new Machine({ child, port, qmp, exited, console, kernel: image.tree.kernel, bootMs });
  } catch (error) {
    // A connection that broke because QEMU ended says less than QEMU's own complaint, which comes a moment later.
    await Promise.race([exited, sleep(500)]);
    child.kill('SIGKILL');
    await exited;
    if (child.exitCode !== null) await failure;
    throw error;
  }
}
