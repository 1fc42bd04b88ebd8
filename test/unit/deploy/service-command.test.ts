import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/* The command that a host's service has: it must see each setting as systemd gives it to the service. */

const PROGRAM =
  '/usr/lib/docker-volume-scaleio/node /usr/lib/docker-volume-scaleio/docker-volume-scaleio.cjs';
const command = path.resolve(import.meta.dirname, '../../../plugin/systemd/docker-volume-scaleio');

let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'dvs-command-'));
  const script = await readFile(command, 'utf8');
  expect(script).toContain(PROGRAM);
  await writeFile(path.join(directory, 'command'), script.replace(PROGRAM, '/usr/bin/env --null'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** What the program has in its environment of SCALEIO_ settings, for this text of the service's file. */
async function settingsOf(
  text: string,
  caller: Record<string, string> = {},
): Promise<Record<string, string>> {
  const file = path.join(directory, 'env');
  await writeFile(file, text);
  const env = { PATH: process.env['PATH'] ?? '', SCALEIO_ENV_FILE: file, ...caller };
  const { stdout } = await execa('sh', [path.join(directory, 'command')], { env, extendEnv: false });
  const pairs = stdout.split('\0').map((line) => /^(SCALEIO_[^=]+)=([^]*)$/.exec(line));
  return Object.fromEntries(
    pairs.flatMap((pair) => (pair === null || pair[1] === 'SCALEIO_ENV_FILE' ? [] : [[pair[1], pair[2]]])),
  ) as Record<string, string>;
}

describe('the command of a service reads its settings as systemd does', () => {
  it.each([
    ['a plain value', 'SCALEIO_A=x={host} y', { SCALEIO_A: 'x={host} y' }],
    ['space around name and value', '  SCALEIO_A = x y \t\n', { SCALEIO_A: 'x y' }],
    ['lines that end as on Windows', 'SCALEIO_A=x\r\nSCALEIO_B=y\r\n', { SCALEIO_A: 'x', SCALEIO_B: 'y' }],
    ['the last of a name', 'SCALEIO_A=x\nSCALEIO_A=y\n', { SCALEIO_A: 'y' }],
    ['double quotes', String.raw`SCALEIO_A="a \"b\" \$c \x '"`, { SCALEIO_A: String.raw`a "b" $c \x '` }],
    ['single quotes', String.raw`SCALEIO_A='a "b" \ '`, { SCALEIO_A: String.raw`a "b" \ ` }],
    ['quotes within a value', `SCALEIO_A=it's "so"`, { SCALEIO_A: `it's "so"` }],
    ['quotes one after the other', `SCALEIO_A="a"'b'c`, { SCALEIO_A: 'abc' }],
    ['a backslash', String.raw`SCALEIO_A=a\\b\"c`, { SCALEIO_A: String.raw`a\b"c` }],
    ['a line that goes on', 'SCALEIO_A=a\\\nb\n', { SCALEIO_A: 'ab' }],
    ['a quoted line that goes on', 'SCALEIO_A="a\\\nb\nc"\n', { SCALEIO_A: 'ab\nc' }],
    ['no value', 'SCALEIO_A=\n', { SCALEIO_A: '' }],
    ['comments and what is no name', '# SCALEIO_A=x\n;SCALEIO_B=x\nexport SCALEIO_C=x\n1=x\n=x\nx\n', {}],
  ])('%s', async (_, text, expected) => {
    expect(await settingsOf(text)).toEqual(expected);
  });

  it('and runs nothing that is written there', async () => {
    const witness = path.join(directory, 'witness');
    const value = `$(touch ${witness})\`touch ${witness}\`';touch ${witness};'`;
    expect(await settingsOf(`SCALEIO_A=${value}\nSCALEIO_B;touch ${witness}=x\n`)).toEqual({
      SCALEIO_A: value,
    });
    await expect(readFile(witness)).rejects.toThrow('ENOENT');
  });

  it("but what the caller's own environment says counts more", async () => {
    expect(await settingsOf('SCALEIO_A=x\nSCALEIO_B=x\n', { SCALEIO_A: '' })).toEqual({
      SCALEIO_A: '',
      SCALEIO_B: 'x',
    });
  });
});
