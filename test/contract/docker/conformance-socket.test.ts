import { describeConformance } from './conformance.ts';
import { listeningServer } from './started-server.ts';
import { removeAllVolumes, socketClient } from './target.ts';
import { describeUse } from './use-conformance.ts';

async function onSocket() {
  const server = await listeningServer();
  const client = socketClient(server.socketPath);
  return {
    request: client.request,
    hangUp: client.hangUp,
    holdMounts: () => server.driver.hold('mount'),
    reset: () => removeAllVolumes(client),
    close: async () => {
      client.end();
      await server.close();
    },
  };
}

describeConformance('on a unix socket', onSocket);
describeUse('on a unix socket', onSocket);
