import { execFileSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';

/*
 * A database's user: writes row after row, and says of each, as a mark among the writes of the disk below, that it was told that the row
 * is stored. Arguments: the database, how many rows, dm-log-writes' device.
 */
const [, , file = '', rows = '0', device = ''] = process.argv;
const database = new DatabaseSync(file);
database.exec(
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE ledger (n INTEGER PRIMARY KEY, filler TEXT)',
);
const insert = database.prepare('INSERT INTO ledger VALUES (?, ?)');
for (let n = 1; n <= Number(rows); n += 1) {
  insert.run(n, String(n).repeat(1500));
  execFileSync('dmsetup', ['message', device, '0', 'mark', `row-${n}`]);
}
database.close();
