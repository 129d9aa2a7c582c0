/** Merges texts of modprobe.d into one configuration. Pure; every rule keeps its file and line. */
import type { ModuleName } from '../../base/names.ts';
import type { ConfigText, ConfigTexts } from '../../facts/config/config-text.ts';
import type { ConfiguredNames } from '../../match/candidate.ts';
import { emptyConfig, type Config } from './config.ts';
import { parseKernelCommandLine } from './kernel-command-line.ts';
import { parseModprobeConf } from './modprobe-conf.ts';

/**
 * One configuration of all files, in the order given, and the kernel command line, which kmod reads last. Files that cannot
 * be read are among its problems.
 */
export function mergeConfig(files: ConfigTexts, commandLine?: ConfigText): Config {
  const config = emptyConfig();
  for (const { file, why } of files.unread) {
    const message = `${why}; the rules in it do not count`;
    config.problems.push({ file, line: 0, column: 0, severity: 'error', code: 'unreadable', message });
  }
  for (const text of files.texts) parseModprobeConf(text, config);
  if (commandLine !== undefined) parseKernelCommandLine(commandLine, config);
  return config;
}

/** What the configuration adds to a lookup: aliases, and names that only an `install` or `remove` line has. */
export function configuredNames(config: Config): ConfiguredNames {
  const commands = [...config.installs, ...config.removes];
  return {
    aliases: config.aliases,
    commands: commands.map(({ pattern, place }) => ({ module: pattern as ModuleName, place })),
  };
}
