import { expect, test } from 'vitest';
import { runAgent } from '../../../src/sdc/sdc-command.ts';

const untilStopped = Promise.resolve();

/** What it throws; that it says nothing of it itself. */
async function complaints(...argv: string[]): Promise<string> {
  const lines: string[] = [];
  const io = { print: (line: string) => lines.push(line), complain: (line: string) => lines.push(line) };
  const failure = await runAgent(argv, { ...io, untilStopped }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(lines).toEqual([]);
  return String(failure);
}

const FLAGS = ['--guid', 'g', '--ip', '10.0.0.1', '--mdm', 'http://m:1', '--fence-dir', '/f'];

test('flags that are missing or wrong are named', async () => {
  expect(await complaints()).toContain('--guid');
  expect(await complaints(...FLAGS, '--appear-delay-ms', 'soon')).toContain('milliseconds');
  expect(await complaints(...FLAGS, '--nodes', 'sda')).toContain('loop');
});

test('a GUID in small letters is refused before anything starts', async () => {
  const io = { print: () => undefined, complain: () => undefined, untilStopped };
  await expect(runAgent([...FLAGS, '--scini', '/none'], io)).rejects.toThrow('upper-case UUID');
});
