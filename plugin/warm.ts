import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { contents } from './contents.ts';

const SOCKET = '/tmp/warm.sock';

/** Settings that let the program start; the gateway is a closed port, which is one of the states it must start in. */
const environment = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  NODE_COMPILE_CACHE: contents.compileCache,
  SCALEIO_ENDPOINT: 'http://127.0.0.1:1',
  SCALEIO_USERNAME: 'warm',
  SCALEIO_PASSWORD: 'warm',
  SCALEIO_GUID: '00000000-0000-0000-0000-000000000000',
};

/** In a mount namespace of its own, so that whatever the program mounts is gone with it. */
const ENTER = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"';

/**
 * Starts the program once inside the finished root file system, asks what an engine asks first, and ends it in order:
 * only then does Node write its code cache. Needs root, for chroot. Throws when the program does not start or does not
 * end with status 0.
 */
export async function warmCompileCache(rootfs: string): Promise<void> {
  const places = ['--mount-root', '/tmp/warm/volumes', '--state-dir', '/tmp/warm/state'];
  const program = [contents.node, ...contents.nodeFlags, contents.bundle];
  const argv = [...program, 'serve', '--socket', SOCKET, ...places];
  const running = execa('unshare', ['--mount', 'sh', '-c', ENTER, rootfs, ...argv], {
    env: environment,
    extendEnv: false,
    all: true,
  });
  try {
    await untilListening(path.join(rootfs, SOCKET), running);
    for (const call of [
      'Plugin.Activate',
      'VolumeDriver.Capabilities',
      'VolumeDriver.List',
      'VolumeDriver.Get',
    ]) {
      await post(path.join(rootfs, SOCKET), `/${call}`);
    }
    running.kill('SIGTERM');
    await running;
  } finally {
    running.kill('SIGKILL');
  }
  await rm(path.join(rootfs, SOCKET), { force: true });
  await rm(path.join(rootfs, 'tmp/warm'), { recursive: true, force: true });
  if (!existsSync(path.join(rootfs, contents.compileCache))) throw new Error('Node wrote no code cache');
}

async function untilListening(file: string, program: Promise<unknown>): Promise<void> {
  const ended = program.then(() => {
    throw new Error('the program ended before it listened');
  });
  const listening = (async () => {
    const end = performance.now() + 20_000;
    while (!existsSync(file)) {
      if (performance.now() > end) throw new Error('the program did not listen within 20 s');
      await delay(20);
    }
  })();
  await Promise.race([listening, ended]);
}

/** The answer does not matter, only that the code ran; without a gateway the program hangs up on some calls. */
async function post(socketPath: string, url: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const call = request({ socketPath, path: url, method: 'POST' }, (response) => {
      response.resume().on('close', resolve);
    });
    call.on('error', () => {
      resolve();
    });
    call.end(JSON.stringify({ Name: 'warm' }));
  });
}
