import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

/** Run as a program: `webhook-receiver.ts ADDRESS PORT` prints each request as one line of JSON, and answers 200. */
const [address, port] = process.argv.slice(2);
createServer((request, response) => {
  void text(request).then((body) => {
    const { 'x-scaleio-timestamp': timestamp, 'x-scaleio-signature': signature } = request.headers;
    console.log(JSON.stringify({ timestamp, signature, body }));
    response.end();
  });
}).listen(Number(port), address);
