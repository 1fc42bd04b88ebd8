import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { GuestAnswer, GuestQuestion, GuestRun } from '../guest-protocol.ts';

/*
 * The program inside the machine that does what a test asks for, one line of JSON each way on a virtio port. The port can only be read
 * by waiting, so a thread of its own does that.
 */
const [, , port = ''] = process.argv;

function readLines(from: number): void {
  const buffer = Buffer.alloc(65_536);
  let rest = '';
  for (;;) {
    const length = readSync(from, buffer);
    rest += buffer.toString('latin1', 0, length);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) parentPort?.postMessage(Buffer.from(line, 'latin1').toString('utf8'));
  }
}

function say(to: number, message: object): void {
  // The other end may have seen half a line of an earlier boot.
  const line = Buffer.from(`\n${JSON.stringify(message)}\n`);
  for (let done = 0; done < line.length;) done += writeSync(to, line, done);
}

async function run({ argv, input }: GuestRun): Promise<GuestAnswer> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined); // it may end without reading
  child.stdin.end(input);
  const status = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve(code ?? (signal === null ? 255 : 128));
    });
  });
  const [code, stdout, stderr] = await Promise.all([status, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

function ask(question: Extract<GuestQuestion, { at: string }>): Promise<GuestAnswer> {
  const { at, method, url, headers, body } = question;
  const [host = '', port = ''] = at.split(':');
  const place = at.startsWith('/') ? { socketPath: at } : { host, port };
  return new Promise((resolve, reject) => {
    const call = request({ ...place, method, path: url, headers });
    call.on('error', reject);
    call.on('response', (response) => {
      text(response).then((stdout) => {
        resolve({ code: response.statusCode ?? 0, stdout, stderr: '' });
      }, reject);
    });
    call.end(body);
  });
}

async function answer(to: number, question: GuestQuestion): Promise<void> {
  try {
    say(to, { id: question.id, ...(await ('at' in question ? ask(question) : run(question))) });
  } catch (error) {
    say(to, { id: question.id, code: -1, stdout: '', stderr: String(error) });
  }
}

if (isMainThread) {
  const fd = openSync(port, 'r+');
  const reader = new Worker(process.argv[1] ?? '', { workerData: fd });
  reader.on('message', (line: string) => {
    if (line !== '') void answer(fd, JSON.parse(line) as GuestQuestion);
  });
  reader.on('error', (error: Error) => {
    console.error(error);
    closeSync(fd);
    process.exitCode = 1;
  });
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  say(fd, { bootId });
} else readLines(workerData as number);
