import { CommandError, MissingProgramError, type Runner } from '../host/run.ts';
import { ok, problem, warning, type Finding } from './finding.ts';
import type { Check } from './run-checks.ts';

const NAME = 'file system tools';

interface Tool {
  readonly program: string;
  readonly versionFlag: string;
  /** Without it no volume works; else only volumes of this kind, or growing them. */
  readonly needed?: true;
}

const TOOLS: readonly Tool[] = [
  { program: 'mount', versionFlag: '--version', needed: true },
  { program: 'umount', versionFlag: '--version', needed: true },
  { program: 'blkid', versionFlag: '--version', needed: true },
  { program: 'wipefs', versionFlag: '--version', needed: true },
  { program: 'getfattr', versionFlag: '--version', needed: true },
  { program: 'setfattr', versionFlag: '--version', needed: true },
  { program: 'mkfs.xfs', versionFlag: '-V' },
  { program: 'xfs_growfs', versionFlag: '-V' },
  { program: 'xfs_io', versionFlag: '-V' },
  { program: 'xfs_db', versionFlag: '-V' },
  { program: 'mkfs.ext4', versionFlag: '-V' },
  { program: 'e2fsck', versionFlag: '-V' },
  { program: 'resize2fs', versionFlag: '-V' },
  { program: 'tune2fs', versionFlag: '-V' },
  { program: 'fsfreeze', versionFlag: '--version' },
  { program: 'mkfs.btrfs', versionFlag: '--version' },
  { program: 'btrfs', versionFlag: '--version' },
  { program: 'btrfstune', versionFlag: '--version' },
];

/** The programs that make, check, mount and grow file systems, with their versions. */
export function toolsCheck(runner: Runner): Check {
  return {
    name: NAME,
    run: async (signal) => {
      const seen = await Promise.all(TOOLS.map((tool) => look(runner, tool, signal)));
      const missing = seen.flatMap(({ finding }) => finding ?? []);
      if (missing.length > 0) return missing;
      const versions = new Set(seen.map(({ version }) => version));
      return [ok(NAME, `all there: ${[...versions].join(', ')}`)];
    },
  };
}

async function look(
  runner: Runner,
  { program, versionFlag, needed }: Tool,
  signal: AbortSignal,
): Promise<{ version: string; finding?: Finding }> {
  try {
    const { stdout, stderr } = await runner.run(program, [versionFlag], { signal, timeoutMs: 5000 });
    const version = /\d+(?:\.\d+)+/.exec(`${stdout} ${stderr}`)?.[0];
    return { version: version === undefined ? program : `${program} ${version}` };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const { reason, remedy } =
      error instanceof MissingProgramError ? error : { reason: error.message, remedy: '' };
    const finding = (needed === true ? problem : warning)(NAME, reason, remedy || 'see what it says');
    return { version: program, finding };
  }
}
