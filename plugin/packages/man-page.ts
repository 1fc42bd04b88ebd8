import type { Command } from 'commander';

/** roff of a program's man page, section 8: every command with its options, as its own help tells of them [man(7)]. */
export function manPage(program: Command, { version, date }: { version: string; date: string }): string {
  const name = program.name();
  const commands = leaves(program, []);
  return [
    `.TH ${name.toUpperCase()} 8 "${date}" "${version}"`,
    '.SH NAME',
    `${plain(name)} \\- Docker volumes on ScaleIO and PowerFlex`,
    '.SH SYNOPSIS',
    `.B ${plain(name)}`,
    '.I command',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    plain(sentence(program.description())),
    '.SH COMMANDS',
    ...commands.flatMap(({ path, command }) => section([...path, usageOf(command)], command)),
    '.SH EXIT STATUS',
    '0 where all was done, else by the kind of failure; of',
    '.B doctor',
    'by the worst finding: 10 is a warning, 20 a problem.',
    '.SH FILES',
    '.TP',
    '.I /etc/scaleio/docker\\-volume\\-scaleio.env',
    'Settings of the service and of these commands.',
    '.TP',
    '.I /run/docker/plugins/scaleio.sock',
    'Where an engine finds the plugin.',
    '.TP',
    '.I /var/lib/docker\\-volume\\-scaleio',
    'What the plugin remembers of this host, and where it mounts volumes.',
    '.SH SEE ALSO',
    '.BR docker (1),',
    '.BR podman (1),',
    '.BR systemd.socket (5)',
    '',
  ].join('\n');
}

interface Leaf {
  readonly path: readonly string[];
  readonly command: Command;
}

/** The commands that do something, in the order of the help. */
function leaves(command: Command, above: readonly string[]): Leaf[] {
  return command.commands.flatMap((one) => {
    const path = [...above, one.name()];
    const below = leaves(one, path);
    // A command with subcommands may do something by itself, too; then it has options.
    return one.options.length > 0 || below.length === 0 ? [{ path, command: one }, ...below] : below;
  });
}

function usageOf(command: Command): string {
  return command.registeredArguments
    .map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`))
    .join(' ');
}

function section(words: readonly string[], command: Command): string[] {
  return [
    `.SS ${plain(words.filter((word) => word !== '').join(' '))}`,
    plain(sentence(command.description())),
    ...command.options.flatMap(({ flags, description }) => [
      '.TP',
      `.B ${plain(flags)}`,
      plain(sentence(description)),
    ]),
  ];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** As text, whatever it begins with: no request, no escape, and hyphens that can be copied. */
function plain(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('\n', ' ');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
