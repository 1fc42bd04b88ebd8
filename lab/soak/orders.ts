import { execa } from 'execa';

/** Tells the stories of test/long in every order of their events; throws when a fault is found in any. */
export async function soakOrders(): Promise<void> {
  await execa('npx', ['vitest', 'run', '--project', 'long'], { stdio: 'inherit' });
}
