import type { Repository } from '../../../webhook/demo/image-store.ts';
import type { Bend } from '../../../webhook/demo/registry.ts';
import { basicAuth } from '../../../webhook/demo/registry.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import {
  cut,
  neverAnswer,
  only,
  raw,
  redirect,
  reply,
  status,
  withHeaders,
  withoutHeader,
} from '../../support/bend.ts';
import { addSchema1 } from '../../support/odd-image.ts';
import { firstOfBurst } from './bursts.ts';
import {
  ABSENT,
  blobs,
  byDigest,
  heads,
  headsSay,
  image,
  index,
  linux,
  manifests,
  manifestsSay,
  typed,
  type RegistryCondition,
} from './registry-condition.ts';

const CHUNKED = withHeaders({ 'transfer-encoding': 'chunked' });
const PAGE = reply(200, { 'content-type': 'text/html' }, '<html>log in</html>');

/** pull-parity part D, as rows: from a name to a manifest. */
export const RESOLVE_CONDITIONS: readonly RegistryCondition[] = [
  { id: 'ok-oci', rule: 'J20', fill: image },
  { id: 'ok-docker', rule: 'J20', fill: (r) => void r.addImage({ format: 'docker', tags: ['1'] }) },
  {
    id: 'many-layers',
    rule: 'D12',
    fill: (r) => void r.addImage({ tags: ['1'], layers: [{ a: '1' }, { b: '2' }, { c: '3' }] }),
  },
  { id: 'tag-absent', rule: 'J21', fill: (r) => void r.addImage({ tags: ['2'] }) },
  { id: 'repository-absent', rule: 'J22', fill: () => 'nowhere-at-all:1' },
  {
    id: 'not-found-html',
    rule: 'J23',
    fill: image,
    bends: (r) => [manifests(r, reply(404, { 'content-type': 'text/html' }, '<html>gone</html>'))],
  },
  { id: 'head-400', rule: 'D7', fill: image, bends: heads(400, 'UNSUPPORTED') },
  { id: 'head-403', rule: 'D7', fill: image, bends: heads(403, 'DENIED') },
  { id: 'head-500', rule: 'D7', fill: image, bends: heads(500, 'UNKNOWN') },
  { id: 'head-501', rule: 'D7', fill: image, bends: heads(501, 'UNSUPPORTED') },
  { id: 'head-405', rule: 'J49', fill: image, bends: heads(405, 'UNSUPPORTED') },
  {
    id: 'no-digest-header',
    rule: 'J51',
    fill: image,
    bends: (r) => [manifests(r, withoutHeader('docker-content-digest'))],
  },
  {
    id: 'no-length-on-head',
    rule: 'J51',
    fill: image,
    bends: (r) => [manifests(r, withHeaders({ 'transfer-encoding': 'chunked' }), { method: 'HEAD' })],
  },
  {
    id: 'digest-header-untrue',
    rule: 'J52',
    fill: image,
    bends: (r) => [
      manifests(r, withHeaders({ 'docker-content-digest': `sha256:${'ab'.repeat(32)}` }), { reference: '1' }),
    ],
  },
  {
    id: 'digest-header-no-digest',
    rule: 'J52',
    fill: image,
    bends: (r) => [manifests(r, withHeaders({ 'docker-content-digest': 'foo:bar' }), { reference: '1' })],
  },
  {
    id: 'get-other-bytes',
    rule: 'J53',
    fill: image,
    bends: (r) => [
      manifests(r, (_q, answer) => ({ ...answer, body: Buffer.concat([answer.body, Buffer.from(' ')]) }), {
        method: 'GET',
      }),
    ],
  },
  { id: 'type-json', rule: 'J54', fill: image, bends: typed('application/json') },
  { id: 'type-octets', rule: 'J54', fill: image, bends: typed('application/octet-stream') },
  { id: 'type-text', rule: 'J55', fill: image, bends: typed('text/plain') },
  { id: 'type-with-charset', rule: 'D11', fill: image, bends: typed(`${OCI_MANIFEST}; charset=utf-8`) },
  {
    id: 'empty-200',
    rule: 'J57',
    fill: image,
    bends: (r) => [manifests(r, reply(200, { 'content-type': OCI_MANIFEST }))],
  },
  {
    id: 'manifest-too-large',
    rule: 'J58',
    fill: (r) => {
      const { config, layers } = r.addImage();
      const annotations = { padding: 'x'.repeat(4_500_000) };
      r.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, annotations }, OCI_MANIFEST, ['1']);
    },
  },
  { id: 'index-served-as-manifest', rule: 'J59', fill: index(linux('amd64')), bends: typed(OCI_MANIFEST) },
  { id: 'manifest-served-as-index', rule: 'J59', fill: image, bends: typed(OCI_INDEX) },
  { id: 'schema1', rule: 'J60', fill: (r) => void addSchema1(r, ['1']) },
  {
    id: 'redirect-to-sibling',
    rule: 'J61',
    fill: image,
    bends: (r) =>
      [
        manifests(
          r,
          redirect(({ url }) => `${url.pathname}?moved=1`),
          { path: /manifests\/1$/u },
        ),
      ].map(
        (bend): Bend =>
          (q, a) =>
            q.url.search.includes('moved') ? a : bend(q, a),
      ),
  },
  {
    id: 'redirect-to-login',
    rule: 'J61',
    fill: image,
    bends: (r) => [
      manifests(r, (q, a) =>
        q.url.pathname.endsWith('/1') ? { status: 302, headers: { location: '/login' }, body: Buffer.alloc(0) } : a,
      ),
      only({ path: '/login' }, reply(200, { 'content-type': 'text/html' }, '<html>log in</html>')),
    ],
  },
  {
    id: 'redirect-loop',
    rule: 'D15',
    fill: image,
    bends: (r) => [
      manifests(
        r,
        redirect(({ url }) => url.pathname),
      ),
    ],
  },
  {
    id: 'status-408-once',
    rule: 'D8',
    fill: image,
    bends: (r) => [firstOfBurst({ kind: 'manifest', repository: r }, status(408, 'UNKNOWN'))],
  },
  { id: 'status-429', rule: 'J46', fill: image, bends: (r) => [manifests(r, status(429, 'TOOMANYREQUESTS'))] },
  { id: 'status-500', rule: 'J47', fill: image, bends: (r) => [manifests(r, status(500, 'UNKNOWN'))] },
  { id: 'status-502', rule: 'J48', fill: image, bends: (r) => [manifests(r, status(502, 'UNKNOWN'))] },
  {
    id: 'status-503-once',
    rule: 'J47',
    fill: image,
    bends: (r) => [firstOfBurst({ kind: 'manifest', repository: r }, status(503, 'UNAVAILABLE'))],
  },
  {
    id: 'status-504-once',
    rule: 'D8',
    fill: image,
    bends: (r) => [firstOfBurst({ kind: 'manifest', repository: r }, status(504, 'UNKNOWN'))],
  },
  { id: 'no-http', rule: 'E13', fill: image, bends: (r) => [manifests(r, raw('hello, this is no HTTP\r\n'))] },
  { id: 'denied-403', rule: 'J45', fill: image, bends: (r) => [manifests(r, status(403, 'DENIED'))] },
  {
    id: 'unauthorized-no-challenge',
    rule: 'J24',
    fill: image,
    bends: (r) => [manifests(r, status(401, 'UNAUTHORIZED'))],
  },
  {
    id: 'challenge-digest-only',
    rule: 'J25',
    fill: image,
    bends: (r) => [manifests(r, status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Digest realm="x", nonce="y"' }))],
  },
  {
    id: 'bearer-no-realm',
    rule: 'J26',
    fill: image,
    bends: (r) => [manifests(r, status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer service="x"' }))],
  },
  {
    id: 'bearer-relative-realm',
    rule: 'D5',
    fill: image,
    bends: (r) => [manifests(r, status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer realm="/token"' }))],
  },
  {
    id: 'bearer-dead-realm',
    rule: 'J42',
    fill: image,
    bends: (r) => [
      manifests(r, status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/token"' })),
    ],
  },
  { id: 'basic-on-blobs-only', rule: 'J82', fill: image, bends: (r) => [blobs(r, basicAuth({ u: 'p' }))] },
  { id: 'silent-manifest', rule: 'G5', fill: image, bends: (r) => [manifests(r, neverAnswer)] },
  { id: 'head-201', rule: 'D7', fill: image, bends: headsSay((_q, a) => ({ ...a, status: 201 })) },
  { id: 'head-204', rule: 'D7', fill: image, bends: headsSay((_q, a) => ({ ...a, status: 204 })) },
  { id: 'head-206', rule: 'D7', fill: image, bends: headsSay((_q, a) => ({ ...a, status: 206 })) },
  { id: 'head-300', rule: 'D7', fill: image, bends: heads(300, 'UNKNOWN') },
  { id: 'head-304', rule: 'D7', fill: image, bends: heads(304, 'UNKNOWN') },
  { id: 'head-401-no-challenge', rule: 'D7', fill: image, bends: heads(401, 'UNAUTHORIZED') },
  { id: 'head-404', rule: 'J50', fill: image, bends: heads(404, 'MANIFEST_UNKNOWN') },
  { id: 'head-410', rule: 'D7', fill: image, bends: heads(410, 'UNKNOWN') },
  { id: 'head-429', rule: 'D8', fill: image, bends: heads(429, 'TOOMANYREQUESTS') },
  { id: 'head-breaks-off', rule: 'D8', fill: image, bends: headsSay(cut('start')) },
  { id: 'head-length-zero', rule: 'J57', fill: image, bends: headsSay(withHeaders({ 'content-length': '0' })) },
  { id: 'head-length-other', rule: 'D12', fill: image, bends: headsSay(withHeaders({ 'content-length': '7' })) },
  {
    id: 'head-length-too-large',
    rule: 'D13',
    fill: image,
    bends: headsSay(withHeaders({ 'content-length': '5000000' })),
  },
  {
    id: 'head-no-length-no-digest',
    rule: 'J51',
    fill: image,
    bends: headsSay(withHeaders({ 'transfer-encoding': 'chunked', 'docker-content-digest': 'foo:bar' })),
  },
  {
    id: 'no-digest-and-get-fails',
    rule: 'D10',
    fill: image,
    bends: (r) => [
      manifests(r, withoutHeader('docker-content-digest')),
      manifests(r, status(404, 'MANIFEST_UNKNOWN'), { method: 'GET', reference: '1' }),
    ],
  },
  {
    id: 'get-by-digest-404',
    rule: 'D12',
    fill: image,
    bends: (r) => [
      only({ path: new RegExp(`^/v2/${r}/manifests/sha256`, 'u'), method: 'GET' }, status(404, 'MANIFEST_UNKNOWN')),
    ],
  },
  { id: 'get-403', rule: 'D12', fill: image, bends: manifestsSay(status(403, 'DENIED'), { method: 'GET' }) },
  { id: 'get-no-length', rule: 'D12', fill: image, bends: manifestsSay(CHUNKED, { method: 'GET' }) },
  {
    id: 'get-503-once',
    rule: 'D8',
    fill: image,
    bends: (r) => [firstOfBurst({ kind: 'manifest', repository: r, method: 'GET' }, status(503, 'UNAVAILABLE'))],
  },
  {
    id: 'get-429-once',
    openBecause: 'we never ask again after a 429',
    rule: 'D8',
    fill: image,
    bends: (r) => [firstOfBurst({ kind: 'manifest', repository: r, method: 'GET' }, status(429, 'TOOMANYREQUESTS'))],
  },
  {
    id: 'get-502-once',
    rule: 'D8',
    fill: image,
    bends: (r) => [firstOfBurst({ kind: 'manifest', repository: r }, status(502, 'UNKNOWN'))],
  },
  {
    id: 'breaks-off-once',
    openBecause: 'a connection that breaks off once may be our own: we ask again',
    rule: 'D8',
    fill: image,
    bends: (r) => [firstOfBurst({ kind: 'manifest', repository: r }, cut('start'))],
  },
  { id: 'type-upper-case', rule: 'D11', fill: image, bends: typed(OCI_MANIFEST.toUpperCase()) },
  { id: 'type-space-before-charset', rule: 'D11', fill: image, bends: typed(`${OCI_MANIFEST} ; charset=utf-8`) },
  { id: 'type-none', rule: 'J54', fill: image, bends: manifestsSay(withoutHeader('content-type')) },
  { id: 'type-html', rule: 'J56', fill: image, bends: manifestsSay(PAGE) },
  {
    id: 'type-other-on-get',
    rule: 'D12',
    fill: image,
    bends: manifestsSay(withHeaders({ 'content-type': 'application/json' }), { method: 'GET' }),
  },
  {
    id: 'bearer-realm-unquoted',
    rule: 'D3',
    fill: image,
    bends: manifestsSay(
      status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer realm=http://127.0.0.1:1/token,service=x' }),
    ),
  },
  {
    id: 'challenge-negotiate',
    rule: 'J25',
    fill: image,
    bends: manifestsSay(status(401, 'UNAUTHORIZED', { 'www-authenticate': ['Negotiate', 'NTLM'] })),
  },
  {
    id: 'digest-other-header',
    rule: 'D10',
    fill: byDigest,
    bends: manifestsSay(withHeaders({ 'docker-content-digest': ABSENT })),
  },
  {
    id: 'digest-odd-header',
    rule: 'D10',
    fill: byDigest,
    bends: manifestsSay(withHeaders({ 'docker-content-digest': 'foo:bar' })),
  },
  { id: 'digest-no-header', rule: 'D10', fill: byDigest, bends: manifestsSay(withoutHeader('docker-content-digest')) },
  { id: 'digest-head-no-length', rule: 'D10', fill: byDigest, bends: headsSay(CHUNKED) },
  { id: 'digest-head-405', rule: 'J49', fill: byDigest, bends: heads(405, 'UNSUPPORTED') },
  { id: 'digest-head-403', rule: 'D14', fill: byDigest, bends: heads(403, 'DENIED') },
  { id: 'digest-head-500', rule: 'D14', fill: byDigest, bends: heads(500, 'UNKNOWN') },
  { id: 'digest-head-404', rule: 'D14', fill: byDigest, bends: heads(404, 'MANIFEST_UNKNOWN') },
  { id: 'digest-type-json', rule: 'D14', fill: byDigest, bends: typed('application/json') },
  knownAsBlob(),
  {
    id: 'digest-other-bytes',
    rule: 'J53',
    fill: byDigest,
    bends: manifestsSay((_q, a) => ({ ...a, body: Buffer.concat([a.body, Buffer.from(' ')]) })),
  },
  { id: 'digest-sha512-absent', rule: 'A8', fill: (r) => `${r.name}@sha512:${'ab'.repeat(64)}` },
  { id: 'tag-of-128', rule: 'A5', fill: (r) => named(r, `t${'a'.repeat(127)}`) },
  { id: 'tag-upper-case', rule: 'A1', fill: (r) => named(r, 'V1_RC.2-X') },
  { id: 'tag-latest-unwritten', rule: 'A7', fill: (r) => (r.addImage({ tags: ['latest'] }), r.name) },
];

function named(repository: Repository, tag: string): string {
  repository.addImage({ tags: [tag] });
  return `${repository.name}:${tag}`;
}

/** A registry that answers HEAD for a manifest only among its blobs, with its type and its length. */
function knownAsBlob(): RegistryCondition {
  let length = 0;
  const answerTo: Bend = (_question, answer) => {
    const headers = { 'content-type': OCI_MANIFEST, 'content-length': String(length) };
    return answer.status === 404 ? { status: 200, headers, body: Buffer.alloc(0) } : answer;
  };
  return {
    id: 'digest-head-as-blob',
    openBecause: 'HEAD denies it, and a type among the blobs proves nothing',
    rule: 'D14',
    fill: (repository) => {
      const { digest, size } = repository.addImage();
      length = size;
      return `${repository.name}@${digest}`;
    },
    bends: (repository) => [
      manifests(repository, status(404, 'MANIFEST_UNKNOWN'), { method: 'HEAD' }),
      blobs(repository, answerTo, { method: 'HEAD' }),
    ],
  };
}
