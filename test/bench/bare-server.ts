import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';

/**
 * The least that a webhook in Node can be: it reads the review, parses it and admits it. Arguments: the certificate's
 * file and its key's. TLS versions, protocol and keep-alive are those of Pullguard's own server.
 */
function admit(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { readonly request: { readonly uid: string } };
    const answer = { uid: review.request.uid, allowed: true };
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
  });
}

const [certificate = '', key = ''] = process.argv.slice(2);
const server = createServer(
  {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    keepAliveTimeout: 120_000,
  },
  admit,
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  process.stdout.write(`bare: ready on https://127.0.0.1:${port}/validate\n`);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
