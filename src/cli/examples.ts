import type { Command } from 'commander';

/** By the words that lead to a command; those that are not here bring their own. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  serve: ['serve --config /etc/scaleio/settings.json'],
  config: ['config', 'config --schema'],
  doctor: ['doctor', 'doctor --json'],
  steward: ['steward --policy /etc/scaleio/steward.yml', 'steward --policy /etc/scaleio/steward.yml --once'],
  volume: ['volume ls', 'volume create db -o size=64GiB', 'volume snapshot db --name before-upgrade'],
  'volume ls': [
    'volume ls --filter pool=ssd --filter held=false',
    "volume ls --format '{{.Name}} {{.Size}}'",
    'volume ls --json',
  ],
  'volume show': ['volume show db'],
  'volume force-release': ['volume force-release db', 'volume force-release db --holder 10.0.0.7 --yes'],
  'volume failover': ['volume failover db never', 'volume failover db default --yes'],
  'volume snapshots': ['volume snapshots db', 'volume snapshots db --json'],
  'volume rm-snapshot': ['volume rm-snapshot db@before-upgrade'],
  'volume release': ['volume release db'],
  'volume remove-anonymous': ['volume remove-anonymous', 'volume remove-anonymous --remove'],
  'volume trash': ['volume trash', 'volume trash erase db'],
};

/** Shows examples at the end of the help of each command of the table. */
export function addExamples(program: Command): void {
  for (const [path, lines] of Object.entries(EXAMPLES)) {
    const command = commandAt(program, path.split(' '));
    command?.addHelpText(
      'after',
      `\nExamples:\n${lines.map((line) => `  ${program.name()} ${line}`).join('\n')}`,
    );
  }
}

function commandAt(program: Command, path: readonly string[]): Command | undefined {
  let found: Command | undefined = program;
  for (const word of path) found = found?.commands.find((one) => one.name() === word);
  return found;
}
