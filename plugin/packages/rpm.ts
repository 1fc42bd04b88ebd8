import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { SUMMARY, type PackageFacts } from './deb.ts';
import { SETTINGS_FILE } from './layout.ts';
import { AFTER_INSTALLING, AFTER_REMOVING, BEFORE_REMOVING } from './scripts.ts';

/** Fedora's and Red Hat's names of what the plugin starts; btrfs-progs is not in all of them. */
const REQUIRES = ['glibc', 'libstdc++', 'e2fsprogs', 'xfsprogs', 'util-linux', 'attr'];
const PROCESSOR = { amd64: 'x86_64', arm64: 'aarch64' } as const;

/** Makes an rpm and answers its path. Rejects with what rpmbuild says. */
export async function makeRpm(facts: PackageFacts): Promise<string> {
  const { arch, root, into, timestamp } = facts;
  const work = await mkdtemp(path.join(tmpdir(), 'rpm-'));
  try {
    const spec = path.join(work, 'docker-volume-scaleio.spec');
    await mkdir(path.join(work, 'out'));
    await writeFile(spec, specText(facts));
    const defined = {
      _topdir: work,
      _rpmdir: path.join(work, 'out'),
      // rpm's own database does not exist on a Debian.
      _dbpath: path.join(work, 'db'),
      laidOut: root,
      _buildhost: 'localhost',
      use_source_date_epoch_as_buildtime: '1',
      clamp_mtime_to_source_date_epoch: '1',
    };
    const flags = Object.entries(defined).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
    const env = { SOURCE_DATE_EPOCH: `${timestamp}` };
    await execa('rpmbuild', ['-bb', '--target', PROCESSOR[arch], ...flags, spec], { env });
    const made = path.join(work, 'out', PROCESSOR[arch]);
    const [name] = await readdir(made);
    if (name === undefined) throw new Error('rpmbuild made no package');
    const file = path.join(into, name);
    // Directories may lie on different file systems.
    await copyFile(path.join(made, name), file);
    return file;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function specText({ version, compression }: PackageFacts): string {
  return `# The files are made already: nothing is stripped, compiled or looked through.
%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none
%global _binary_payload ${compression === 'xz' ? 'w6.xzdio' : 'w0.gzdio'}
Name: docker-volume-scaleio
Version: ${version.replace('-', '~')}
Release: 1
Summary: ${SUMMARY}
License: Apache-2.0
AutoReqProv: no
Requires: ${REQUIRES.join(', ')}
Recommends: btrfs-progs

%description
A volume plugin for Docker and Podman as a service of the host: a volume
follows its container to whichever host that moves to.

%install
cp -a %{laidOut}/. %{buildroot}/
rm -rf %{buildroot}/DEBIAN

%post
${AFTER_INSTALLING}
%preun
if [ "$1" = 0 ]; then
${BEFORE_REMOVING}fi

%postun
if [ "$1" = 0 ]; then
${AFTER_REMOVING}fi

%files
%defattr(-,root,root)
/usr/lib/docker-volume-scaleio
/usr/sbin/docker-volume-scaleio
/usr/lib/systemd/system/docker-volume-scaleio.*
/usr/share/bash-completion/completions/docker-volume-scaleio
/usr/share/zsh/vendor-completions/_docker-volume-scaleio
/usr/share/fish/vendor_completions.d/docker-volume-scaleio.fish
/usr/share/man/man8/docker-volume-scaleio.8
/usr/share/doc/docker-volume-scaleio
%dir %attr(700,root,root) /etc/scaleio
%config(noreplace) ${SETTINGS_FILE}
`;
}
