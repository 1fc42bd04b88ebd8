import type { TimelineEntry } from './page-data.ts';

/** What somebody should know who sees an event on the timeline. */
export interface RunbookEntry {
  readonly title: string;
  readonly means: string;
  readonly todo: string;
}

/** By kind of event, in the order in which they are shown. */
export const RUNBOOK: Readonly<Record<TimelineEntry['kind'], RunbookEntry>> = {
  takeover: {
    title: 'Takeover',
    means:
      'Another host took the volume while its old host had lost the array. The old host can no longer write to it; what it had not yet written there is lost, as after a power cut.',
    todo: 'Nothing for the volume. See why the host is away. "docker-volume-scaleio volume show NAME" on the new host tells by which policy the volume was taken.',
  },
  moved: {
    title: 'Moved',
    means:
      'One host let go of the volume and another has it since, as when a service is updated or a node drained.',
    todo: 'Nothing. A volume that moves again and again follows a container that does not stay up: see its log.',
  },
  attached: {
    title: 'Attached',
    means: 'A host may use the volume since then.',
    todo: 'Nothing.',
  },
  released: {
    title: 'Released',
    means: 'A host let go of the volume, and no other has it.',
    todo: 'Nothing. Was it not expected, see the container or service that used it.',
  },
  created: {
    title: 'Created',
    means:
      'The array has a volume of the prefix that was not there before; one that was renamed or brought back counts too.',
    todo: 'Nothing.',
  },
  removed: {
    title: 'Removed',
    means:
      'The name is gone: the volume was removed or renamed. With a grace for removed volumes the data is still there.',
    todo: 'Was it in error, "docker-volume-scaleio volume trash" lists what can be had back, and "volume undelete NAME" brings it back. Be quick: the grace runs from the removal.',
  },
  'host-lost': {
    title: 'Host lost',
    means:
      'The array does not see the host any more: it is off, hangs, or its network to the storage is cut. What runs there gets I/O errors or waits.',
    todo: 'See whether the host is up and reaches the array. Volumes move when the orchestrator starts their containers elsewhere and the failover policy lets them go; "volume show NAME" says what the policy is, and "volume force-release NAME" overrules it.',
  },
  'host-back': {
    title: 'Host back',
    means:
      'The array sees the host again. What was taken from it meanwhile it does not take back; it cleans up by itself.',
    todo: 'On that host: "docker-volume-scaleio doctor" says whether anything is left.',
  },
  growth: {
    title: 'Growth',
    means:
      'The steward added a declared disk to a pool; planned: it would have, in a dry run; failed or blocked: it could not, and the text says why.',
    todo: 'After a failure mend what the text names; that disk is left alone for a while (retryFailedAfter in the policy). Declare new disks before the last is used.',
  },
  level: {
    title: 'Level',
    means: 'A pool passed a threshold of the policy, up or down, or its numbers contradict each other.',
    todo: 'Above it: add a disk, erase what is in the trash, or remove snapshots. When a pool is full, every volume in it stops being writable.',
  },
  sight: {
    title: 'Sight of the array',
    means:
      'The steward cannot read the array, or can again. Until then it decides nothing, and what the page shows is old.',
    todo: 'See whether the gateway answers and whether the steward can log in; the text has the reason. Containers are not affected by the steward.',
  },
  alert: {
    title: 'Alert',
    means: 'A webhook of the policy was told, or could not be.',
    todo: 'After a failure see whether its address answers and its secret is right; it is tried again.',
  },
  cleanup: {
    title: 'Clean-up',
    means:
      'The steward removed what nobody owns any more: unfinished volumes, expired snapshots, mappings of hosts that are gone, or what was in the trash for long enough. Planned: it would have, in a dry run.',
    todo: 'Nothing. Before you set "act: true", read what it would have done.',
  },
  asked: {
    title: 'Asked for',
    means: 'An application or person had it done through the API, by the token that the text names.',
    todo: 'Nothing. Was it not expected, take the token out of the tokens file.',
  },
};

/** A page of its own that needs no script; each kind of event has its place in it. */
export function runbookPage(): string {
  const sections = Object.entries(RUNBOOK).map(
    ([kind, { title, means, todo }]) =>
      `<section id="${kind}" class="card runbook"><h2>${escaped(title)}</h2><p>${escaped(means)}</p>` +
      `<p><strong>What to do:</strong> ${escaped(todo)}</p></section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<title>What events mean</title>
<link rel="icon" href="icon.svg" type="image/svg+xml" />
<link rel="stylesheet" href="page.css" />
<script src="theme.js"></script>
</head>
<body>
<main class="runbooks">
<h1>What events mean, and what to do</h1>
<p><a href="./">Back to the volumes</a></p>
${sections.join('\n')}
</main>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
