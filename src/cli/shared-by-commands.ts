import type { Command } from 'commander';

/** What the commands of volumes have in common. */
export interface Shared {
  /** Adds what every command of volumes takes. */
  readonly withSettings: (command: Command) => Command;
  /** Asks whoever is there; rejects with InvalidRequestError where nobody can be asked. */
  readonly isAgreed: (flags: { readonly yes?: true }, question: string) => Promise<boolean>;
}
