import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

/** Run as a program: `webhook-receiver.ts ADDRESS PORT` prints each request as one line of JSON, and answers 200. */
const [address, port] = process.argv.slice(2);
createServer((request, response) => {
  void text(request).then((body) => {
    console.log(JSON.stringify({ headers: request.headers, body }));
    response.end();
  });
}).listen(Number(port), address);
