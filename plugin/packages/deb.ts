import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { Architecture } from '../debian.ts';
import { SETTINGS_FILE } from './layout.ts';
import { AFTER_INSTALLING, AFTER_REMOVING, BEFORE_REMOVING } from './scripts.ts';

/** What a package is made of, whichever its form. */
export interface PackageFacts {
  /** As package.json has it. */
  readonly version: string;
  readonly arch: Architecture;
  /** Files as they shall lie below a host's root. */
  readonly root: string;
  /** Where the package goes. */
  readonly into: string;
  /** Of all files, s since 1970: the same sources make the same package. */
  readonly timestamp: number;
  /** Small and slow to make, or large and quick. */
  readonly compression: 'xz' | 'none';
}

export const SUMMARY = 'Docker volumes on Dell ScaleIO, VxFlex OS and PowerFlex';

/** Debian's names of what the plugin starts, and of the libraries that Node links. */
const DEPENDS = ['libc6', 'libstdc++6', 'e2fsprogs', 'xfsprogs', 'mount', 'util-linux', 'attr'];

/** Makes a Debian package and answers its path. Rejects with what dpkg-deb says. */
export async function makeDeb({
  version,
  arch,
  root,
  into,
  timestamp,
  compression,
}: PackageFacts): Promise<string> {
  const control = path.join(root, 'DEBIAN');
  await mkdir(control);
  await writeFile(path.join(control, 'control'), controlText(version, arch));
  await writeFile(path.join(control, 'conffiles'), `${SETTINGS_FILE}\n`);
  const scripts = {
    postinst: `if [ "$1" = configure ]; then\n${AFTER_INSTALLING}fi\n`,
    prerm: `if [ "$1" = remove ]; then\n${BEFORE_REMOVING}fi\n`,
    postrm: `if [ "$1" = remove ] || [ "$1" = purge ]; then\n${AFTER_REMOVING}fi\nif [ "$1" = purge ]; then rm -rf /var/lib/docker-volume-scaleio; fi\n`,
  };
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(path.join(control, name), `#!/bin/sh\nset -e\n${text}`);
    await chmod(path.join(control, name), 0o755);
  }
  const file = path.join(into, `docker-volume-scaleio_${version}_${arch}.deb`);
  const env = { SOURCE_DATE_EPOCH: `${timestamp}` };
  await execa('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', root, file], { env });
  return file;
}

function controlText(version: string, arch: Architecture): string {
  return `Package: docker-volume-scaleio
Version: ${version}
Architecture: ${arch}
Maintainer: The docker-volume-scaleio team
Section: admin
Priority: optional
Depends: ${DEPENDS.join(', ')}
Recommends: btrfs-progs
Suggests: docker.io | docker-ce | podman
Description: ${SUMMARY}
 A volume plugin for Docker and Podman as a service of the host: a volume
 follows its container to whichever host that moves to. With the commands to
 look after volumes (volume, doctor), the steward that watches over the
 array's space, and a simulated array to try everything on.
`;
}
