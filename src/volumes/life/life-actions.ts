import type { OperatorActions } from '../operator-actions.ts';
import type { NewVolumes } from '../options/classes.ts';

/** What is done about which volumes there are, and what they are made with. */
export type LifeActions = Pick<OperatorActions, 'listClasses'>;

/** On a host whose plugin runs. */
export function lifeActionsOn(newVolumes: NewVolumes): LifeActions {
  return lookingActions(newVolumes);
}

/** Where no plugin runs: what the settings alone tell. */
export function lifeActionsWithout(newVolumes: NewVolumes): LifeActions {
  return lookingActions(newVolumes);
}

function lookingActions({ classes }: NewVolumes): Pick<LifeActions, 'listClasses'> {
  return {
    listClasses: () => Promise.resolve([...classes].map(([name, { options }]) => ({ name, options }))),
  };
}
