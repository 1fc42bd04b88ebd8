import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../lab/hosts/until.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

/* Rule 11, with real dumps of the real program. The pattern is the whole machine's: it is put back whatever happens. */

const PATTERN = '/proc/sys/kernel/core_pattern';
const main = path.resolve(import.meta.dirname, '../../../src/main.ts');
const policy = 'version: 1\ninterval: 10s\npools: [{ pool: sp1 }]\n';

function mayChangePattern(): boolean {
  try {
    accessSync(PATTERN, constants.W_OK);
    writeFileSync(PATTERN, readFileSync(PATTERN));
    return true;
  } catch {
    return false;
  }
}

let dir = '';
let before = '';

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'core-dump-'));
  await chmod(dir, 0o777);
  before = readFileSync(PATTERN, 'utf8');
});

afterEach(async () => {
  writeFileSync(PATTERN, before);
  await rm(dir, { recursive: true });
});

/** A dump into a file, and one handed to a program, which no limit of 0 stops. */
const patterns = {
  file: { pattern: () => `${dir}/core`, limit: 'unlimited' },
  pipe: { pattern: () => `|${dir}/take`, limit: '0' },
} as const;

/** Starts a program without any limit that would hide a dump, waits until it runs, has it die of a fault, and reads its dump. */
async function dumpOf(argv: readonly string[], secret: string, how: keyof typeof patterns): Promise<Buffer> {
  await writeFile(
    path.join(dir, 'take'),
    `#!/bin/sh\ncat >${dir}/core.part && mv ${dir}/core.part ${dir}/core\n`,
  );
  await chmod(path.join(dir, 'take'), 0o755);
  const { pattern, limit } = patterns[how];
  writeFileSync(PATTERN, pattern());
  const program = spawn('prlimit', [`--core=${limit}`, process.execPath, ...argv], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      SCALEIO_ENDPOINT: 'http://127.0.0.1:1',
      SCALEIO_USERNAME: 'admin',
      SCALEIO_PASSWORD: secret,
      SCALEIO_GUID: '00000000-0000-0000-0000-000000000000',
    },
  });
  try {
    await once(program.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
    program.kill('SIGSEGV');
    await once(program, 'exit');
    const core = await until('the dump', async () =>
      (await readdir(dir)).find((name) => /^core(\.\d+)?$/.test(name)),
    );
    return await readFile(path.join(dir, core));
  } finally {
    program.kill('SIGKILL');
  }
}

const programs = {
  serve: () => [
    ...[main, 'serve', '--socket', path.join(dir, 'plugin.sock')],
    ...['--state-dir', path.join(dir, 'state'), '--mount-root', path.join(dir, 'volumes')],
  ],
  steward: () => {
    writeFileSync(path.join(dir, 'steward.yml'), policy);
    return [main, 'steward', '--policy', path.join(dir, 'steward.yml'), '--metrics-socket', 'none'];
  },
} as const;

describe.skipIf(!mayChangePattern())(`dumps, where ${PATTERN} may be changed`, () => {
  it.each(['file', 'pipe'] as const)(
    'are really made, to a %s: what has no such guard is in its dump',
    async (how) => {
      const secret = newSecret('password');
      const unguarded = ['-e', 'console.log("up"); setInterval(() => undefined, 1000)'];
      expect((await dumpOf(unguarded, secret, how)).includes(secret)).toBe(true);
    },
  );

  describe.each(['serve', 'steward'] as const)('of %s', (program) => {
    it.each(['file', 'pipe'] as const)('to a %s hold no secret', async (how) => {
      const secret = newSecret('password');
      const core = await dumpOf(programs[program](), secret, how);
      expect(core.length).toBeGreaterThan(0);
      expect(core.includes(secret)).toBe(false);
    });
  });
});

it.each([['doctor'], ['volume', 'ls'], ['config'], ['serve'], ['steward', '--once']])(
  'the guard is there before a setting is read: %s %s',
  async (...command) => {
    // Node opens what NODE_OPTIONS names before the program; it looks when the program reads its settings' file.
    const settings = path.join(dir, 'settings.json');
    const spy = path.join(dir, 'spy.cjs');
    await writeFile(
      spy,
      `const fs = require('node:fs'); const read = fs.readFileSync;
       fs.readFileSync = (file, ...rest) => {
         if (file === ${JSON.stringify(settings)}) {
           console.log('filter ' + Number.parseInt(read('/proc/self/coredump_filter', 'utf8'), 16));
           process.exit(0);
         }
         return read(file, ...rest);
       };
       require('node:module').syncBuiltinESMExports();`,
    );
    await writeFile(path.join(dir, 'steward.yml'), policy);
    const more = command[0] === 'steward' ? ['--policy', path.join(dir, 'steward.yml')] : [];
    const argv = [main, ...command, ...more, '--config', settings];
    const program = spawn(process.execPath, argv, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], NODE_OPTIONS: `--require=${spy}` },
    });
    let said = '';
    program.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(program, 'close');
    expect(said).toContain('filter 0\n');
  },
);
