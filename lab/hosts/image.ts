import type { Host } from './host.ts';

/** Name of the image that every lab has: a static busybox with its commands. */
export const BUSYBOX = 'busybox';

const SCRIPT = `set -e
directory=$(mktemp -d)
mkdir -p "$directory/bin" "$directory/tmp"
cp "$(command -v busybox)" "$directory/bin/busybox"
for name in $(busybox --list); do [ "$name" = busybox ] || ln -s busybox "$directory/bin/$name"; done
tar --create --directory "$directory" . | docker import --change 'ENV PATH=/bin' --change 'CMD ["sh"]' - ${BUSYBOX}
rm -r "$directory"`;

/** Makes the busybox image from Debian's package, since no image registry is in reach. */
export async function importBusybox(host: Host): Promise<void> {
  await host.exec(['sh', '-c', SCRIPT]);
}
