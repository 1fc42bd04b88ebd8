import { Argument, type Command } from 'commander';
import { commandTree } from './command-tree.ts';
import { completionScript, SHELLS, type Shell } from './completion-scripts.ts';
import type { ProcessIo } from './process-io.ts';

const EXAMPLES = `
Examples:
  source <(docker-volume-scaleio completion bash)
  docker-volume-scaleio completion bash >/etc/bash_completion.d/docker-volume-scaleio
  docker-volume-scaleio completion zsh >/usr/share/zsh/vendor-completions/_docker-volume-scaleio
  docker-volume-scaleio completion fish >/etc/fish/completions/docker-volume-scaleio.fish`;

/** `completion`: what a shell needs to complete the commands of this program, made of the commands themselves. */
export function addCompletionCommand(program: Command, io: ProcessIo): void {
  program
    .command('completion')
    .description('print the script with which a shell completes these commands')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => {
      io.stdout.write(completionScript(shell, commandTree(program)));
    });
}
