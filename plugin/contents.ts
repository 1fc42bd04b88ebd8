/** One Debian package and what the root file system takes from it; nothing else of the package is shipped. */
interface PackageContents {
  readonly name: string;
  /** Absolute paths as on a Debian with merged /usr; symbolic links bring what they point at. */
  readonly files: readonly string[];
}

const NODE = '/usr/bin/node';
const BUNDLE = '/usr/lib/docker-volume-scaleio/docker-volume-scaleio.cjs';

/**
 * For the host's own PATH: runs the program inside of the running plugin, where its settings, secrets and state are. The
 * engine's runc keeps managed plugins in one of two places, by its version.
 */
const HOST_COMMAND = `#!/bin/sh
# Runs docker-volume-scaleio inside of the managed plugin of this host. SCALEIO_PLUGIN: its alias, if not scaleio.
set -eu
plugin="\${SCALEIO_PLUGIN:-scaleio}"
id="$(docker plugin inspect --format "{{.ID}}" "$plugin")"
# What the doctor cannot ask from inside: the engine. No settings, so no secrets.
engine_facts() {
  docker version --format '{"version":{{json .Server.Version}}}'
  docker plugin inspect --format '{"plugin":{"id":{{json .ID}},"name":{{json .Name}},"enabled":{{.Enabled}}}}' $(docker plugin ls --quiet)
  containers="$(docker ps --all --quiet)"
  [ -z "$containers" ] || docker inspect --format '{"container":{"name":{{json .Name}},"running":{{.State.Running}},"mounts":{{json .Mounts}}}}' $containers
}
terminal=
[ -t 0 ] && [ -t 1 ] && terminal=--tty
for root in /run/docker/runtime-runc/plugins.moby /run/docker/plugins/runtime-root/plugins.moby; do
  [ -d "$root/$id" ] || continue
  if [ "\${1:-}" = doctor ]; then
    shift
    engine_facts | runc --root "$root" exec "$id" ${NODE} ${BUNDLE} doctor --plugin "$plugin" --engine-facts /dev/stdin "$@"
    exit
  fi
  exec runc --root "$root" exec $terminal "$id" ${NODE} ${BUNDLE} "$@"
done
echo "docker-volume-scaleio: plugin $plugin does not run on this host: docker plugin enable $plugin" >&2
exit 1
`;

/**
 * What the plugin's root file system holds: the one list that the build without a registry (rootfs.ts) and the
 * Dockerfile (dockerfile.ts) both work from. The shared libraries that the programs link are found by reading the
 * programs; `libraryPackages` only says where to look for them.
 */
export const contents = {
  suite: 'bookworm',
  node: NODE,
  /**
   * The plugin runs on every host for months, beside what the host is there for. V8 by itself lets its heap grow to a share of the
   * host's memory before it collects, and its young generation to 48 MiB; and starting a program (a mount takes three) costs the more
   * the more memory there is to fork. No limit among them: what a List of 100,000 volumes takes it still may take. The code cache is
   * only good for the flags it was written with.
   */
  nodeFlags: ['--max-semi-space-size=2', '--initial-old-space-size=16', '--optimize-for-size'],
  /**
   * For glibc's malloc: one arena, where each of Node's ten threads would have its own, and freed pieces of 128 KiB and more go back to
   * the kernel, where the thresholds would grow with what was once freed [mallopt(3)].
   */
  environment: {
    MALLOC_ARENA_MAX: '1',
    MALLOC_MMAP_THRESHOLD_: '131072',
    MALLOC_TRIM_THRESHOLD_: '131072',
  },
  bundle: BUNDLE,
  /** V8's code cache of the bundle, written once at build: halves the start. */
  compileCache: '/usr/lib/docker-volume-scaleio/compile-cache',

  packages: [
    {
      name: 'e2fsprogs',
      files: [
        '/usr/sbin/mkfs.ext4',
        '/usr/sbin/e2fsck',
        '/usr/sbin/e2undo',
        '/usr/sbin/resize2fs',
        '/usr/sbin/tune2fs',
        '/etc/mke2fs.conf',
      ],
    },
    {
      name: 'xfsprogs',
      files: ['/usr/sbin/mkfs.xfs', '/usr/sbin/xfs_growfs', '/usr/sbin/xfs_io', '/usr/sbin/xfs_db'],
    },
    { name: 'btrfs-progs', files: ['/usr/sbin/mkfs.btrfs', '/usr/bin/btrfs', '/usr/bin/btrfstune'] },
    {
      name: 'util-linux',
      files: [
        '/usr/sbin/blkid',
        '/usr/sbin/wipefs',
        '/usr/sbin/blockdev',
        '/usr/sbin/fstrim',
        '/usr/sbin/fsfreeze',
      ],
    },
    // They thaw a file system where the plugin is killed while it is frozen.
    { name: 'coreutils', files: ['/usr/bin/sleep'] },
    { name: 'findutils', files: ['/usr/bin/xargs'] },
    { name: 'mount', files: ['/usr/bin/mount', '/usr/bin/umount'] },
    { name: 'attr', files: ['/usr/bin/getfattr', '/usr/bin/setfattr'] },
  ] satisfies PackageContents[],

  /** Libraries that no program above names: the host's own drv_cfg links them, or glibc loads them by itself. */
  extraLibraries: [
    ...['libaio.so.1', 'libnuma.so.1', 'libstdc++.so.6', 'libgcc_s.so.1'],
    ...['libdl.so.2', 'libm.so.6', 'libpthread.so.0', 'librt.so.1', 'libutil.so.1'],
    ...['libresolv.so.2', 'libnss_dns.so.2', 'libnss_files.so.2'],
  ],
  libraryPackages: [
    ...['libc6', 'libgcc-s1', 'libstdc++6', 'libaio1', 'libnuma1'],
    ...['libext2fs2', 'libss2', 'libcom-err2', 'libblkid1', 'libmount1', 'libuuid1', 'libsmartcols1'],
    ...['libselinux1', 'libpcre2-8-0', 'libinih1', 'liburcu8', 'libedit2', 'libbsd0', 'libmd0', 'libtinfo6'],
    ...['libdevmapper1.02.1', 'libudev1', 'libcap2', 'libattr1', 'zlib1g', 'liblzo2-2', 'libzstd1'],
  ],

  /** Directories that are made, most of them for the engine or the plugin to mount over or write into. */
  directories: [
    ...['/proc', '/sys', '/dev', '/run/docker/plugins', '/tmp', '/root', '/opt', '/host/etc'],
    '/var/lib/scaleio',
    '/usr/lib/docker-volume-scaleio',
  ],

  links: {
    '/bin': 'usr/bin',
    '/sbin': 'usr/sbin',
    '/lib': 'usr/lib',
    '/lib64': 'usr/lib64',
    // So that /etc/scaleio/… names the same file of the host here as it does for the host service.
    '/etc/scaleio': '../host/etc/scaleio',
  },

  texts: {
    '/usr/lib/docker-volume-scaleio/host-command': HOST_COMMAND,
    '/etc/passwd': 'root:x:0:0:root:/root:/sbin/nologin\n',
    '/etc/group': 'root:x:0:\n',
    '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  },
} as const;

/** Names of every Debian package that the build reads, once each, in order. */
export function packageNames(): string[] {
  const named = contents.packages.map((one) => one.name);
  return [...new Set([...named, ...contents.libraryPackages])].sort();
}

/** Every file that is taken from a package by name. */
export function packagedFiles(): string[] {
  return contents.packages.flatMap((one) => one.files);
}
