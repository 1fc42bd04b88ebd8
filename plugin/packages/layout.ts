import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { C_SOURCES } from 'scaleio-simulator/sdc-programs';

const project = path.resolve(import.meta.dirname, '../..');
const systemd = path.join(project, 'plugin/systemd');
const LIBRARY = '/usr/lib/docker-volume-scaleio';

/** Kept as its owner changed it when the package is renewed. */
export const SETTINGS_FILE = '/etc/scaleio/docker-volume-scaleio.env';

const SETTINGS = `# Settings of the Docker volume plugin, read by its service and by the command docker-volume-scaleio:
# https://… of the gateway, and how to log in there. docs/configuration.md names all of them.
#SCALEIO_ENDPOINT=https://gateway.example.com
#SCALEIO_USERNAME=docker
# A file with the password alone, mode 600:
#SCALEIO_PASSWORD_FILE=/etc/scaleio/password
# The authority of the gateway's certificate, PEM:
#SCALEIO_CA_FILE=/etc/scaleio/ca.pem
`;

/** What a package installs, beside what is generated from the program itself. */
export interface Generated {
  /** By the shell's name. */
  readonly completions: Readonly<Record<'bash' | 'zsh' | 'fish', string>>;
  /** In roff. */
  readonly manPage: string;
}

interface Installed {
  readonly target: string;
  readonly mode: number;
  readonly from: { readonly file: string } | { readonly text: string };
}

/** Every file of the packages, by where it goes. `node` and `program` are the files to install. */
export function installedFiles(
  { node, program }: { readonly node: string; readonly program: string },
  { completions, manPage }: Generated,
): readonly Installed[] {
  const file = (target: string, source: string, mode = 0o644): Installed => ({
    target,
    mode,
    from: { file: source },
  });
  const text = (target: string, content: string, mode = 0o644): Installed => ({
    target,
    mode,
    from: { text: content },
  });
  const shared = '/usr/share';
  return [
    file(`${LIBRARY}/node`, node, 0o755),
    file(`${LIBRARY}/docker-volume-scaleio.cjs`, program),
    // Its command simulate-sdc compiles them.
    ...C_SOURCES.map((source) => file(`${LIBRARY}/${path.basename(source)}`, source)),
    file('/usr/sbin/docker-volume-scaleio', path.join(systemd, 'docker-volume-scaleio'), 0o755),
    ...['docker-volume-scaleio.service', 'docker-volume-scaleio.socket'].map((unit) =>
      file(`/usr/lib/systemd/system/${unit}`, path.join(systemd, unit)),
    ),
    text(SETTINGS_FILE, SETTINGS, 0o600),
    text(`${shared}/bash-completion/completions/docker-volume-scaleio`, completions.bash),
    text(`${shared}/zsh/vendor-completions/_docker-volume-scaleio`, completions.zsh),
    text(`${shared}/fish/vendor_completions.d/docker-volume-scaleio.fish`, completions.fish),
    text(`${shared}/man/man8/docker-volume-scaleio.8`, manPage),
    file(`${shared}/doc/docker-volume-scaleio/copyright`, path.join(project, 'LICENSE')),
    file(`${shared}/doc/docker-volume-scaleio/CHANGELOG.md`, path.join(project, 'CHANGELOG.md')),
  ];
}

/** Lays the files out below a directory as they shall lie below a host's root. */
export async function layOut(directory: string, files: readonly Installed[]): Promise<void> {
  for (const { target, mode, from } of files) {
    const place = path.join(directory, target);
    await mkdir(path.dirname(place), { recursive: true });
    if ('file' in from) await copyFile(from.file, place);
    else await writeFile(place, from.text);
    await chmod(place, mode);
  }
  // Passwords lie beside the settings.
  await chmod(path.join(directory, path.dirname(SETTINGS_FILE)), 0o700);
}
