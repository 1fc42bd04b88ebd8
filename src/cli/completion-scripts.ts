import type { OfferedCommand, OfferedOption } from './command-tree.ts';

/*
 * What shells are given to complete commands with. Each script holds the program's whole table: it starts no program while somebody types. A
 * command is known by its path, "/volume/trash"; the loop over the words goes from path to path and passes over values of options.
 */

const PROGRAM = 'docker-volume-scaleio';
const FUNCTION = '_docker_volume_scaleio';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The script for a shell; docs/commands.md says where it goes. */
export function completionScript(shell: Shell, commands: readonly OfferedCommand[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

function pathOf({ path }: Pick<OfferedCommand, 'path'>): string {
  return path.map((word) => `/${word}`).join('');
}

/** Within single quotes, for sh and its kind. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const flagsOf = (options: readonly OfferedOption[], isWanted: (option: OfferedOption) => boolean): string[] =>
  options.filter(isWanted).map(({ flag }) => flag);

/** The lines of a case over path and word that tell where a word leads; `skip` and `file` are what they set. */
function stepsOf(commands: readonly OfferedCommand[]): string[] {
  return commands.flatMap((command) => {
    const path = pathOf(command);
    const subcommands = commands.filter(
      (one) => one.path.length === command.path.length + 1 && pathOf(one).startsWith(`${path}/`),
    );
    const into = subcommands.map(
      (one) => `${quoted(`${path} ${one.path.at(-1) ?? ''}`)}) here=${pathOf(one)} ;;`,
    );
    const files = flagsOf(command.options, ({ value }) => value === 'file');
    const texts = flagsOf(command.options, ({ value }) => value === 'text');
    const passes = (flags: readonly string[], value: string): string[] =>
      flags.length === 0
        ? []
        : [`${flags.map((flag) => quoted(`${path} ${flag}`)).join('|')}) skip=${value} ;;`];
    return [...into, ...passes(files, 'file'), ...passes(texts, 'text')];
  });
}

function offersOf(command: OfferedCommand): string[] {
  return [...command.words.map(({ word }) => word), ...command.options.map(({ flag }) => flag)];
}

const indented = (lines: readonly string[], by: string): string => lines.map((line) => by + line).join('\n');

function bashScript(commands: readonly OfferedCommand[]): string {
  const offers = commands.map(
    (one) => `${quoted(pathOf(one))}) offers=${quoted(offersOf(one).join(' '))} ;;`,
  );
  return `# ${PROGRAM} completion for bash
${FUNCTION}() {
  local here= skip= offers= word i
  local current=\${COMP_WORDS[COMP_CWORD]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    # bash takes "--state-dir=/x" for three words.
    [[ $word == = ]] && continue
    if [[ -n $skip ]]; then skip=; continue; fi
    case "$here $word" in
${indented(stepsOf(commands), '      ')}
    esac
  done
  [[ $current == = ]] && current=
  COMPREPLY=()
  if [[ $skip == file ]]; then compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return; fi
  [[ -n $skip ]] && return
  case $here in
${indented(offers, '    ')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$offers" -- "$current")
}
complete -F ${FUNCTION} ${PROGRAM}
`;
}

function zshScript(commands: readonly OfferedCommand[]): string {
  const described = (word: string, about: string): string =>
    quoted(`${word.replaceAll(':', '\\:')}:${about}`);
  const offers = commands.map((one) => {
    const all = [
      ...one.words.map(({ word, about }) => described(word, about)),
      ...one.options.map(({ flag, about }) => described(flag, about)),
    ];
    return `${quoted(pathOf(one))}) offers=(${all.join(' ')}) ;;`;
  });
  return `#compdef ${PROGRAM}
# ${PROGRAM} completion for zsh
${FUNCTION}() {
  local here= skip= word i
  local -a offers
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    if [[ -n $skip ]]; then skip=; continue; fi
    case "$here $word" in
${indented(stepsOf(commands), '      ')}
    esac
  done
  if [[ $skip == file ]]; then _files; return; fi
  [[ -n $skip ]] && return
  case $here in
${indented(offers, '    ')}
  esac
  _describe ${quoted(PROGRAM)} offers
}
if [[ "$funcstack[1]" == "${FUNCTION}" ]]; then ${FUNCTION} "$@"; else compdef ${FUNCTION} ${PROGRAM}; fi
`;
}

function fishScript(commands: readonly OfferedCommand[]): string {
  const text = (words: string): string => `'${words.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const steps = stepsOf(commands).map((line) => {
    const [, patterns = '', variable = '', value = ''] = /^(.*)\) (here|skip)=(\S+) ;;$/.exec(line) ?? [];
    return `case ${patterns.replaceAll("'|'", "' '")}\n                set ${variable} ${value}`;
  });
  const lines = commands.flatMap((one) => {
    const at = `-n ${text(`${FUNCTION}_at "${pathOf(one)}"`)}`;
    return [
      ...one.words.map(
        ({ word, about }) => `complete -c ${PROGRAM} ${at} -a ${text(word)} -d ${text(about)}`,
      ),
      ...one.options.map(({ flag, about, value }) => {
        const takes = { none: '', text: ' -x', file: ' -r -F' }[value];
        return `complete -c ${PROGRAM} ${at} -l ${flag.slice(2)}${takes} -d ${text(about)}`;
      }),
    ];
  });
  return `# ${PROGRAM} completion for fish
function ${FUNCTION}_at
    set -l here ''
    set -l skip ''
    for word in (commandline -opc)[2..-1]
        if test -n "$skip"
            set skip ''
            continue
        end
        switch "$here $word"
${indented(steps, '            ')}
        end
    end
    test "$here" = "$argv[1]"
end
complete -c ${PROGRAM} -f
${lines.join('\n')}
`;
}
