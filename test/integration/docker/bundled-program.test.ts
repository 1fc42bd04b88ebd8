import { execa } from 'execa';
import { removeAllVolumes, socketClient } from '../../contract/docker/target.ts';
import { describeUse } from '../../contract/docker/use-conformance.ts';
import { startBundledStack } from './bundled-stack.ts';

/** How calls are taken and answered is told in test/contract; here, that the bundle does what its sources do. */
describeUse('the bundled program, with the simulated array and real file systems', async () => {
  const stack = await startBundledStack();
  const client = socketClient(stack.socketPath);
  return {
    request: client.request,
    hangUp: client.hangUp,
    use: (mountpoint) => {
      const user = execa('sleep', ['600'], { cwd: mountpoint, reject: false });
      return Promise.resolve(async () => {
        user.kill('SIGKILL');
        await user;
      });
    },
    reset: () => removeAllVolumes(client),
    close: async () => {
      client.end();
      await stack.close();
    },
  };
});
