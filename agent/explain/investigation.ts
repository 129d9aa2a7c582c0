/**
 * Everything about a device or a name, without changing anything: it goes the same way through match, rules and plan as a coldplug,
 * and records every rule searched for on the way, and what the kernel would refuse.
 */
import { existsInRoot } from '../base/root.ts';
import type { Host } from '../base/host.ts';
import { moduleNameFromPath, type ModuleName, type Place } from '../base/names.ts';
import { readAttribute } from '../facts/attribute.ts';
import type { Device } from '../facts/devices/device.ts';
import { openFirmware, type FirmwareSearch } from '../facts/devices/firmware.ts';
import { readLoadedModules } from '../facts/kernel/kernel-state.ts';
import type { BoundDevice } from '../facts/devices/bound-device.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { predict, type Diagnosis } from '../diagnosis/diagnosis.ts';
import { toleratedNamespaces } from '../diagnosis/diagnosis-terms.ts';
import type { BadParameter, KernelEvidence } from '../diagnosis/evidence.ts';
import { withCandidates, type CandidateReport, type RequestReport, type StepReport } from '../records/investigation.ts';
import { evaluate } from '../rules/udev/load-requests.ts';
import type { PolicyRead } from '../rules/policy/policy-text.ts';
import { answer, fileAnswer, type Answer } from '../load/answer.ts';
import { Examiner } from './examination.ts';
import { rulesOf } from './rule-search.ts';
import { idleOptions, reloadRemedy } from './live-options.ts';
import { outcomeOf } from './outcome.ts';
import { readPolicy, underPolicy } from './policy-verdict.ts';
import { pathExists, type Sources } from '../load/sources.ts';

export interface InvestigatorOptions {
  readonly host: Host;
  readonly sources: Sources;
  /** Reads the modules' files, to foresee what the kernel would refuse; without it only checks that they exist. */
  readonly deep: boolean;
  /** The devices belong to another machine: neither their sysfs nor the modules loaded here count. */
  readonly recorded?: boolean;
}

/** What is wrong with a step: the refusal, if one is foreseen, and unsuitable parameters. */
interface Foreseen {
  readonly diagnosis: Diagnosis | undefined;
  readonly bad: readonly BadParameter[];
  /** The firmware that it names, if none of it exists. */
  readonly firmware: readonly string[];
  readonly warnings: readonly string[];
}

/** Investigates names and devices of one host, and remembers the results for each name. */
export class Investigator {
  readonly examiner: Examiner;
  readonly #options: InvestigatorOptions;
  readonly #requests = new Map<string, RequestReport>();
  readonly #refusals = new Map<string, Foreseen>();
  #firmware: FirmwareSearch | undefined;
  #policy: { readonly read: PolicyRead | undefined } | undefined;
  #kernel: { readonly evidence: KernelEvidence | undefined } | undefined;

  constructor(options: InvestigatorOptions) {
    this.#options = options;
    this.examiner = new Examiner(options.host, options.sources);
  }

  /** Everything that a device requests: its MODALIASes, then the names that load rules give for it. */
  device(device: Device | BoundDevice): readonly RequestReport[] {
    const reports = device.modaliases.map((modalias) => this.name(modalias));
    const { host, sources, recorded } = this.#options;
    const directory = host.sysfs + device.devpath;
    const requests = evaluate(sources.loadRules, {
      action: 'add',
      subsystem: device.subsystem,
      kernelName: device.name,
      properties: device.properties,
      attribute: (name) => (recorded === true ? undefined : readAttribute(`${directory}/${name}`)),
      exists: (path) => recorded !== true && pathExists(host.sysfs, directory, path),
    });
    for (const { names, place } of requests) for (const name of names) reports.push(this.name(name, place));
    return this.#underPolicy(reports, device);
  }

  /** The reports with the verdict of the agent's policy, if there is one; it may treat devices differently. */
  #underPolicy(reports: readonly RequestReport[], device: Device | undefined): readonly RequestReport[] {
    this.#policy ??= { read: readPolicy(this.#options.host) };
    const { read } = this.#policy;
    return read?.kind === 'policy' ? reports.map((report) => underPolicy(read.policy, report, device)) : reports;
  }

  /** What a name leads to when no particular device requests it. */
  request(name: string): RequestReport {
    return this.#underPolicy([this.name(name)], undefined)[0] ?? this.name(name);
  }

  /** What one name leads to, regardless of the policy. `rule`: the load rule that names it. */
  name(name: string, rule?: Place): RequestReport {
    const key = rule === undefined ? name : `${rule.file}:${rule.line}:${name}`;
    let report = this.#requests.get(key);
    if (report === undefined) this.#requests.set(key, (report = this.#ask(name, rule)));
    return report;
  }

  /** What inserting a file by its path, with these parameters, would lead to. */
  file(path: string, params: string): RequestReport {
    const module = moduleNameFromPath(path);
    const report = this.#candidate(
      path,
      fileAnswer(path, params, readLoadedModules(this.#options.host)?.get(module)),
      false,
    );
    const candidate: CandidateReport = {
      ...report,
      source: 'file',
      rules: report.rules.filter((rule) => rule.kind === 'module_blacklist='),
    };
    return withCandidates({ name: path, file: { params } }, [candidate]);
  }

  #ask(name: string, rule: Place | undefined): RequestReport {
    const { lookup, answers } = answer(this.#options.sources, name, rule !== undefined);
    const malformed = lookup.kind === 'malformed' ? lookup.why : undefined;
    return withCandidates(
      { name, rule, malformed },
      answers.map((each) => this.#candidate(name, each)),
    );
  }

  #candidate(name: string, each: Answer, planned = true): CandidateReport {
    const { candidate } = each.decision;
    const steps = each.plan === undefined ? [] : this.#steps(each.plan, planned);
    const outcome = outcomeOf(each, steps);
    const idle = outcome.verdict === 'loaded' ? this.#idleOptions(candidate.module, steps) : [];
    return {
      module: candidate.module,
      source: candidate.source,
      pattern: candidate.pattern,
      priority: candidate.priority,
      place: candidate.place,
      rules: rulesOf(this.#options.sources.config, candidate, name, each),
      steps,
      notes: each.plan?.notes ?? [],
      ...outcome,
      ...(idle.length === 0 ? {} : { evidence: idle, remedy: reloadRemedy(candidate.module) }),
    };
  }

  #idleOptions(module: ModuleName, steps: readonly StepReport[]): readonly string[] {
    const { host, recorded, deep } = this.#options;
    const origins = steps.find((step) => step.module === module)?.origins ?? [];
    return recorded === true || !deep ? [] : idleOptions(host, module, origins);
  }

  #steps(plan: Plan, planned: boolean): readonly StepReport[] {
    const before = new Set<ModuleName>();
    return plan.steps.map((step) => {
      const refusal = this.#refusal(step, before, planned);
      before.add(step.module);
      return {
        module: step.module,
        path: step.path,
        params: step.params,
        origins: step.origins,
        why: step.why,
        for: step.for,
        required: step.required,
        state: step.state ?? 'absent',
        command: step.command?.raw,
        refusal: refusal?.diagnosis,
        badParameters: someOf(refusal?.bad),
        warnings: someOf(refusal?.warnings),
        missingFirmware: someOf(refusal?.firmware),
      };
    });
  }

  #refusal(step: Step, before: ReadonlySet<ModuleName>, planned: boolean): Foreseen | undefined {
    if (step.state === 'live' || step.state === 'builtin' || step.command !== undefined) return undefined;
    if (!this.#options.deep)
      return existsInRoot(this.#options.host.root, step.path)
        ? undefined
        : { diagnosis: this.#predict(step, before), bad: [], firmware: [], warnings: [] };
    const key = `${step.path} ${step.params} ${planned} ${[...before].join(' ')}`;
    let refusal = this.#refusals.get(key);
    if (refusal === undefined) {
      const { module: name, path, origins } = step;
      const module = this.examiner.examine({ module: name, path, parameters: origins, before, planned });
      const bad = module.file.kind === 'module' ? module.file.badParameters : [];
      const firmware = module.file.kind === 'module' ? this.#missingFirmware(module.file.firmware) : [];
      refusal = {
        diagnosis: predict({ module, kernel: this.#kernelForAll(), config: this.examiner.config }),
        bad,
        firmware,
        warnings: module.file.kind === 'module' ? toleratedNamespaces(name, module.file, this.examiner.config) : [],
      };
      this.#refusals.set(key, refusal);
    }
    return refusal;
  }

  /** All of these files if none exists: a driver names those of every device it knows, and one of them may be enough. */
  #missingFirmware(named: readonly string[]): readonly string[] {
    const search = (this.#firmware ??= openFirmware(this.#options.host));
    return named.some((name) => search.find(name) !== undefined) ? [] : named;
  }

  #predict(step: Step, before: ReadonlySet<ModuleName>): Diagnosis | undefined {
    return predict({
      module: this.examiner.examine({ module: step.module, path: step.path, parameters: step.origins, before }),
      kernel: undefined,
    });
  }

  /** The kernel as the agent would meet it: a test without root says nothing about the next boot. */
  #kernelForAll(): KernelEvidence | undefined {
    if (this.#options.recorded === true) return undefined;
    this.#kernel ??= { evidence: asRoot(this.examiner.kernel) };
    return this.#kernel.evidence;
  }
}

/** The list; undefined for an empty one, which JSON then omits. */
function someOf<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function asRoot(kernel: KernelEvidence | undefined): KernelEvidence | undefined {
  if (kernel === undefined || kernel.privileges.uid === 0) return kernel;
  const { privileges } = kernel;
  return { ...kernel, privileges: { ...privileges, capabilities: { ...privileges.capabilities, SYS_MODULE: true } } };
}
