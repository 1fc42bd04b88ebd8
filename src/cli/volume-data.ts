import type { Command } from 'commander';
import { ACTION_LIMIT_MS, inSession } from '../apps/volume-session.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import { InvalidRequestError } from '../errors.ts';
import { formatSize } from '../units/size.ts';
import type { ChangedLimits } from '../volumes/limits/change-limits.ts';
import type { GrowthReport } from '../volumes/operator-actions.ts';
import { readBandwidthKiBps, readIops, readSizeKiB } from '../volumes/options/option-readers.ts';
import { asJson } from './as-json.ts';
import type { ProcessIo } from './process-io.ts';

interface JsonFlags extends SettingsFlags {
  readonly json?: true;
}

interface LimitFlags extends JsonFlags {
  readonly iops?: string;
  readonly bandwidth?: string;
}

const GROW_EXAMPLES = `
Examples:
  docker-volume-scaleio volume grow db 200GiB`;

const LIMIT_EXAMPLES = `
Examples:
  docker-volume-scaleio volume limit db --iops 5000 --bandwidth 200MiB
  docker-volume-scaleio volume limit db --iops 0          (no limit of I/O operations; the bandwidth keeps its own)`;

/** `volume grow` and `volume limit`. `withSettings` adds what every command of volumes takes. */
export function addDataCommands(
  volume: Command,
  io: ProcessIo,
  withSettings: (command: Command) => Command,
): void {
  withSettings(volume.command('grow'))
    .description('make a volume larger; its file system follows within seconds, in use')
    .argument('<name>')
    .argument('<size>', 'its new size, with a unit: 200GiB, 1.5TiB')
    .option('--json', 'print as JSON')
    .addHelpText('after', GROW_EXAMPLES)
    .action((name: string, size: string, flags: JsonFlags) =>
      inSession(io, flags, async ({ actions }) => {
        const sizeKiB = named('size', () => readSizeKiB(size));
        const report = await actions.grow({ name, sizeKiB }, AbortSignal.timeout(ACTION_LIMIT_MS));
        io.stdout.write(flags.json === true ? asJson({ name, ...report }) : grownText(name, report));
      }),
    );
  withSettings(volume.command('limit'))
    .description('limit I/O operations and bandwidth of a volume, at once and on every later host')
    .argument('<name>')
    .option('--iops <number>', 'I/O operations per second, at least 11; 0: no limit')
    .option('--bandwidth <size>', 'per second, whole MiB: 200MiB; 0: no limit')
    .option('--json', 'print as JSON')
    .addHelpText('after', LIMIT_EXAMPLES)
    .action((name: string, flags: LimitFlags) =>
      inSession(io, flags, async ({ actions }) => {
        const { iops, bandwidth } = flags;
        if (iops === undefined && bandwidth === undefined)
          throw new InvalidRequestError('nothing to limit was given: use --iops, --bandwidth or both');
        const wanted = {
          name,
          iops: iops === undefined ? null : named('--iops', () => readIops(iops)),
          bandwidthKiBps:
            bandwidth === undefined ? null : named('--bandwidth', () => readBandwidthKiBps(bandwidth)),
        };
        const limits = await actions.limit(wanted, AbortSignal.timeout(ACTION_LIMIT_MS));
        io.stdout.write(flags.json === true ? asJson({ name, ...limits }) : limitsText(name, limits));
      }),
    );
}

/** What is wrong with a value, after its name. */
function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof InvalidRequestError)) throw cause;
    throw new InvalidRequestError(`${name} ${cause.message}`, { cause });
  }
}

function grownText(name: string, { beforeKiB, sizeKiB, filesystem, holder, why }: GrowthReport): string {
  const size =
    sizeKiB === beforeKiB
      ? `volume "${name}" has ${formatSize(sizeKiB)} already`
      : `volume "${name}" has ${formatSize(sizeKiB)} now, it had ${formatSize(beforeKiB)}`;
  const follow = {
    here: 'its file system fills it',
    later: `its file system has not followed: ${why ?? ''}`,
    holder: `host ${holder ?? ''} has it and grows its file system within seconds`,
    mount: 'its file system grows at the next mount',
  }[filesystem];
  return `${size}; ${follow}\n`;
}

function limitsText(name: string, { iops, bandwidthKiBps, holders, keptBy }: ChangedLimits): string {
  const words = [
    iops === 0 ? 'no limit of I/O operations' : `${iops} I/O operations per second`,
    bandwidthKiBps === 0 ? 'no limit of bandwidth' : `${formatSize(bandwidthKiBps)} per second`,
  ].join(', ');
  const now = holders.length === 0 ? 'from the next mount on' : `on host ${holders.join(', ')} at once`;
  const later = {
    label: 'and every later host has them, too',
    holder: 'and that host writes them down for every later one within a minute',
    nobody: 'until that host lets go of it: a volume limited to reading cannot keep them',
  }[keptBy];
  return `volume "${name}" has ${words}: ${now}, ${later}\n`;
}
