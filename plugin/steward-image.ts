import path from 'node:path';
import { execa } from 'execa';
import { builtPlugin } from './built.ts';
import { contents } from './contents.ts';
import { type Architecture, machineArchitecture } from './debian.ts';

/** Nobody: a steward needs no right on the host it runs on. */
const USER = '65534:65534';

/**
 * Command that makes an image of the plugin's root file system (`<built plugin>/rootfs`) whose containers are stewards.
 * It needs an engine and nothing else: no registry, no base image.
 */
export function importSteward(rootfs: string, image: string, arch: Architecture): string[] {
  const changes = [
    `ENTRYPOINT ${JSON.stringify([contents.node, ...contents.nodeFlags, contents.bundle, 'steward'])}`,
    ...Object.entries({ NODE_COMPILE_CACHE: contents.compileCache, ...contents.environment }).map(
      ([name, value]) => `ENV ${name}=${value}`,
    ),
    `USER ${USER}`,
    'LABEL org.opencontainers.image.title=docker-volume-scaleio',
  ].flatMap((change) => ['--change', change]);
  const pack = 'tar --create --numeric-owner --owner=0 --group=0 --directory "$0" . | docker import "$@"';
  return ['sh', '-ec', pack, rootfs, '--platform', `linux/${arch}`, ...changes, '-', image];
}

if (import.meta.main) {
  const [image, arch = await machineArchitecture()] = process.argv.slice(2);
  if (image === undefined || (arch !== 'amd64' && arch !== 'arm64'))
    throw new Error('give the name of the image, and amd64 or arm64 if it is for another machine');
  const rootfs = path.join(await builtPlugin(arch), 'rootfs');
  const [program = '', ...args] = importSteward(rootfs, image, arch);
  await execa(program, args, { stdout: 'inherit', stderr: 'inherit' });
}
