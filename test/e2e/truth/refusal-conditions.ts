import type { Bend } from '../../../webhook/demo/registry.ts';
import { basicAuth } from '../../../webhook/demo/registry.ts';
import { OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { cut, only, redirect, reply, status, withHeaders } from '../../support/bend.ts';
import { firstOfBurst } from './bursts.ts';
import {
  blobsSay,
  byDigest,
  heads,
  headsSay,
  image,
  index,
  linux,
  manifestsSay,
  ofConfigs,
  ofLayers,
  type BendsFor,
  type RegistryCondition,
} from './registry-condition.ts';

const PAGE = reply(200, { 'content-type': 'text/html' }, '<html>log in</html>');
const CHUNKED_PAGE = reply(200, { 'content-type': 'text/html', 'transfer-encoding': 'chunked' }, '<html>log in</html>');
const GET = { method: 'GET' };
const code =
  (status_: number): Bend =>
  (_question, answer) => ({ ...answer, status: status_ });
const getsSay = (bend: Bend): BendsFor => manifestsSay(bend, GET);
const configsSay = (bend: Bend): BendsFor => blobsSay(ofConfigs(bend));
const layersSay = (bend: Bend): BendsFor => blobsSay(ofLayers(bend));
const once =
  (kind: 'manifest' | 'blob', bend: Bend, times?: number): BendsFor =>
  (repository) => [firstOfBurst({ kind, repository, method: 'GET' }, bend, times)];
const headOnce =
  (bend: Bend, times?: number): BendsFor =>
  (repository) => [firstOfBurst({ kind: 'manifest', repository }, bend, times)];

/** pull-parity D7, D8 and D12, as rows: refusals and answers that break off, wherever in a pull they come. */
export const REFUSAL_CONDITIONS: readonly RegistryCondition[] = [
  // of the name
  ...[406, 451, 511].map((one) => ({
    id: `head-${one}`,
    rule: 'D7',
    fill: image,
    bends: heads(one, 'UNKNOWN'),
  })),
  ...[203, 205].map((one) => ({ id: `head-${one}`, rule: 'D7', fill: image, bends: headsSay(code(one)) })),
  { id: 'head-404-page', rule: 'J23', fill: image, bends: headsSay(reply(404, { 'content-type': 'text/html' })) },
  { id: 'head-403-page', rule: 'D7', fill: image, bends: headsSay(reply(403, { 'content-type': 'text/html' })) },
  { id: 'head-gzip', rule: 'D10', fill: image, bends: headsSay(withHeaders({ 'content-encoding': 'gzip' })) },
  { id: 'head-405-get-404', rule: 'J49', fill: image, bends: both(405, status(404, 'MANIFEST_UNKNOWN')) },
  { id: 'head-405-get-403', rule: 'J49', fill: image, bends: both(405, status(403, 'DENIED')) },
  { id: 'head-405-get-429', rule: 'J49', fill: image, bends: both(405, status(429, 'TOOMANYREQUESTS')) },
  { id: 'head-405-get-page', rule: 'J49', fill: image, bends: both(405, PAGE) },
  {
    id: 'head-405-get-chunked',
    rule: 'J49',
    fill: image,
    bends: both(405, withHeaders({ 'transfer-encoding': 'chunked' })),
  },
  { id: 'head-405-get-breaks-off', rule: 'J49', fill: image, bends: both(405, cut(40)) },
  { id: 'digest-head-410', rule: 'D14', fill: byDigest, bends: heads(410, 'UNKNOWN') },
  { id: 'digest-head-429', rule: 'D14', fill: byDigest, bends: heads(429, 'TOOMANYREQUESTS') },
  { id: 'digest-get-404', rule: 'D12', fill: byDigest, bends: getsSay(status(404, 'MANIFEST_UNKNOWN')) },
  {
    id: 'digest-head-length-other',
    rule: 'D12',
    fill: byDigest,
    bends: headsSay(withHeaders({ 'content-length': '7' })),
  },
  { id: 'digest-head-type-none', rule: 'D14', fill: byDigest, bends: headsSay(withHeaders({ 'content-type': '' })) },
  { id: 'status-408-always', rule: 'D8', fill: image, bends: manifestsSay(status(408, 'UNKNOWN')) },
  { id: 'status-408-three-times', rule: 'D8', fill: image, bends: headOnce(status(408, 'UNKNOWN'), 3) },
  { id: 'status-408-five-times', rule: 'D8', fill: image, bends: headOnce(status(408, 'UNKNOWN'), 5) },
  { id: 'status-500-twice', rule: 'D8', fill: image, bends: headOnce(status(500, 'UNKNOWN'), 2) },
  { id: 'status-500-once', rule: 'D8', fill: image, bends: headOnce(status(500, 'UNKNOWN')) },
  { id: 'status-500-then-404', rule: 'D8', fill: (r) => void r.addImage(), bends: headOnce(status(500, 'UNKNOWN')) },
  {
    id: 'status-503-then-500',
    rule: 'D8',
    fill: image,
    bends: (r) => [...headOnce(status(500, 'X'), 2)(r), ...headOnce(status(503, 'X'))(r)],
  },
  {
    id: 'status-503',
    rule: 'D8',
    fill: image,
    bends: manifestsSay(status(503, 'UNAVAILABLE', { 'retry-after': '1' })),
  },
  { id: 'status-504', rule: 'D8', fill: image, bends: manifestsSay(status(504, 'UNKNOWN')) },
  { id: 'status-410', rule: 'D7', fill: image, bends: manifestsSay(status(410, 'MANIFEST_UNKNOWN')) },
  {
    id: 'status-407',
    rule: 'D7',
    fill: image,
    bends: manifestsSay(status(407, 'X', { 'proxy-authenticate': 'Basic realm="p"' })),
  },
  { id: 'status-400-always', rule: 'D7', fill: image, bends: manifestsSay(status(400, 'UNSUPPORTED')) },

  // of the manifest
  { id: 'get-204', rule: 'D12', fill: image, bends: getsSay(reply(204, {})) },
  { id: 'get-206', rule: 'D12', fill: image, bends: getsSay(code(206)) },
  {
    id: 'get-206-partly',
    rule: 'D12',
    fill: image,
    bends: getsSay((_q, a) => ({ ...a, status: 206, body: a.body.subarray(0, 90) })),
  },
  { id: 'get-401', rule: 'D12', fill: image, bends: getsSay(status(401, 'UNAUTHORIZED')) },
  { id: 'get-401-basic', rule: 'D12', fill: image, bends: getsSay(basicAuth({ u: 'p' })) },
  { id: 'get-404-page', rule: 'D12', fill: image, bends: getsSay(reply(404, { 'content-type': 'text/html' }, '<p>')) },
  { id: 'get-405', rule: 'D12', fill: image, bends: getsSay(status(405, 'UNSUPPORTED')) },
  { id: 'get-429', rule: 'D12', fill: image, bends: getsSay(status(429, 'TOOMANYREQUESTS')) },
  { id: 'get-500', rule: 'D12', fill: image, bends: getsSay(status(500, 'UNKNOWN')) },
  { id: 'get-page', rule: 'D12', fill: image, bends: getsSay(PAGE) },
  { id: 'get-empty', rule: 'D12', fill: image, bends: getsSay(reply(200, { 'content-type': OCI_MANIFEST })) },
  { id: 'get-breaks-off', rule: 'D12', fill: image, bends: getsSay(cut('start')) },
  { id: 'get-breaks-off-within', rule: 'D12', fill: image, bends: getsSay(cut(40)) },
  { id: 'get-breaks-off-once', rule: 'D12', fill: image, bends: once('manifest', cut(40)) },
  { id: 'get-halved', rule: 'D12', fill: image, bends: getsSay((_q, a) => ({ ...a, body: a.body.subarray(0, 90) })) },
  {
    id: 'get-of-another',
    rule: 'J53',
    fill: image,
    bends: getsSay(reply(200, { 'content-type': OCI_MANIFEST }, '{"schemaVersion":2}')),
  },
  {
    id: 'get-promises-more',
    rule: 'D12',
    fill: image,
    bends: getsSay((_q, a) => ({ ...a, headers: { ...a.headers, 'content-length': String(a.body.length + 9) } })),
  },
  { id: 'get-redirect-dead', rule: 'D15', fill: image, bends: getsSay(redirect('http://127.0.0.1:1/gone')) },
  { id: 'get-redirect-no-location', rule: 'D15', fill: image, bends: getsSay(reply(307, {})) },
  { id: 'head-redirect-no-location', rule: 'D15', fill: image, bends: headsSay(reply(302, {})) },
  {
    id: 'child-500',
    rule: 'J68',
    fill: index(linux('amd64')),
    bends: (r) => [only({ kind: 'manifest', repository: r, method: 'GET' }, childSays(status(500, 'X')))],
  },
  {
    id: 'child-403',
    rule: 'J68',
    fill: index(linux('amd64')),
    bends: (r) => [only({ kind: 'manifest', repository: r, method: 'GET' }, childSays(status(403, 'DENIED')))],
  },
  {
    id: 'child-429',
    rule: 'J68',
    fill: index(linux('amd64')),
    bends: (r) => [only({ kind: 'manifest', repository: r, method: 'GET' }, childSays(status(429, 'TOOMANYREQUESTS')))],
  },
  {
    id: 'child-page',
    rule: 'J68',
    fill: index(linux('amd64')),
    bends: (r) => [only({ kind: 'manifest', repository: r, method: 'GET' }, childSays(PAGE))],
  },
  {
    id: 'child-other-bytes',
    rule: 'J53',
    fill: index(linux('amd64')),
    bends: (r) => [
      only(
        { kind: 'manifest', repository: r, method: 'GET' },
        childSays((_q, a) => ({ ...a, body: Buffer.concat([a.body, Buffer.from(' ')]) })),
      ),
    ],
  },
  {
    id: 'child-halved',
    rule: 'D12',
    fill: index(linux('amd64')),
    bends: (r) => [
      only(
        { kind: 'manifest', repository: r, method: 'GET' },
        childSays((_q, a) => ({ ...a, body: a.body.subarray(0, 90) })),
      ),
    ],
  },
  { id: 'index-get-404', rule: 'D12', fill: index(linux('amd64')), bends: getsSay(status(404, 'MANIFEST_UNKNOWN')) },

  // of the config
  { id: 'config-204', rule: 'D12', fill: image, bends: configsSay(reply(204, {})) },
  { id: 'config-206', rule: 'D12', fill: image, bends: configsSay(code(206)) },
  { id: 'config-401', rule: 'J82', fill: image, bends: configsSay(status(401, 'UNAUTHORIZED')) },
  {
    id: 'config-404-page',
    rule: 'J69',
    fill: image,
    bends: configsSay(reply(404, { 'content-type': 'text/html' }, '<p>')),
  },
  { id: 'config-429', rule: 'J81', fill: image, bends: configsSay(status(429, 'TOOMANYREQUESTS')) },
  { id: 'config-500', rule: 'J81', fill: image, bends: configsSay(status(500, 'UNKNOWN')) },
  { id: 'config-503-once', rule: 'D8', fill: image, bends: once('blob', status(503, 'UNAVAILABLE')) },
  { id: 'config-breaks-off', rule: 'J72', fill: image, bends: configsSay(cut('start')) },
  { id: 'config-breaks-off-within', rule: 'J72', fill: image, bends: configsSay(cut(30)) },
  {
    id: 'config-breaks-off-once',
    rule: 'D12',
    fill: image,
    bends: (r) => [firstOfBurst({ kind: 'blob', repository: r, method: 'GET' }, cut(30))],
  },
  {
    id: 'config-chunked',
    rule: 'D12',
    fill: image,
    bends: configsSay(withHeaders({ 'transfer-encoding': 'chunked' })),
  },
  { id: 'config-chunked-page', rule: 'J81', fill: image, bends: configsSay(CHUNKED_PAGE) },
  {
    id: 'config-halved',
    rule: 'F13',
    fill: image,
    bends: configsSay((_q, a) => ({ ...a, body: a.body.subarray(0, 30) })),
  },
  {
    id: 'config-flipped',
    rule: 'J71',
    fill: image,
    bends: configsSay((_q, a) => ({ ...a, body: a.body.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) })),
  },
  { id: 'config-empty', rule: 'J71', fill: image, bends: configsSay(reply(200, {})) },
  {
    id: 'config-longer',
    rule: 'F13',
    fill: image,
    bends: configsSay((_q, a) => ({ ...a, body: Buffer.concat([a.body, Buffer.from(' ')]) })),
  },
  { id: 'config-redirect-dead', rule: 'J80', fill: image, bends: configsSay(redirect('http://127.0.0.1:1/gone')) },

  // of layers
  { id: 'layer-204', rule: 'D12', fill: image, bends: layersSay(reply(204, {})) },
  { id: 'layer-400', rule: 'J81', fill: image, bends: layersSay(status(400, 'X')) },
  { id: 'layer-416', rule: 'J81', fill: image, bends: layersSay(status(416, 'UNKNOWN')) },
  { id: 'layer-500', rule: 'J81', fill: image, bends: layersSay(status(500, 'UNKNOWN')) },
  {
    id: 'layer-404-page',
    rule: 'J70',
    fill: image,
    bends: layersSay(reply(404, { 'content-type': 'text/html' }, '<p>')),
  },
  {
    id: 'layer-503-once',
    rule: 'D8',
    fill: image,
    bends: (r) => [only({ kind: 'blob', repository: r, method: 'GET' }, ofLayers(firstOfBurst({}, status(503, 'X'))))],
  },
  {
    id: 'layer-502-once',
    rule: 'D8',
    contentOnly: true,
    fill: image,
    bends: (r) => [only({ kind: 'blob', repository: r, method: 'GET' }, ofLayers(firstOfBurst({}, status(502, 'X'))))],
  },
  {
    id: 'layer-breaks-off-once',
    rule: 'J72',
    fill: image,
    bends: (r) => [only({ kind: 'blob', repository: r, method: 'GET' }, ofLayers(firstOfBurst({}, cut('start'))))],
  },
  {
    id: 'layer-breaks-off-within-once',
    rule: 'J72',
    fill: image,
    bends: (r) => [only({ kind: 'blob', repository: r, method: 'GET' }, ofLayers(firstOfBurst({}, cut(50))))],
  },
  { id: 'layer-empty', rule: 'F13', fill: image, bends: layersSay(reply(200, {})) },
  { id: 'layer-chunked-page', rule: 'J81', fill: image, bends: layersSay(CHUNKED_PAGE) },
  {
    id: 'layer-chunked-halved',
    rule: 'J72',
    fill: image,
    contentOnly: true,
    bends: layersSay((_q, a) => ({ ...a, headers: { 'transfer-encoding': 'chunked' }, body: a.body.subarray(0, 60) })),
  },
  {
    id: 'layer-longer',
    rule: 'F13',
    fill: image,
    bends: layersSay((_q, a) => ({ ...a, body: Buffer.concat([a.body, Buffer.from('more')]) })),
  },
  {
    id: 'layer-promises-more',
    rule: 'J72',
    fill: image,
    bends: layersSay((_q, a) => ({ ...a, headers: { ...a.headers, 'content-length': String(a.body.length + 9) } })),
  },
];

/** HEAD is not allowed, and GET says something else than the manifest. */
function both(head: number, get: Bend): BendsFor {
  return (repository) => [...heads(head, 'UNSUPPORTED')(repository), ...getsSay(get)(repository)];
}

/** Of the documents in a repository those that are no index. */
function childSays(bend: Bend): Bend {
  return (question, answer) =>
    /"manifests":/u.test(new TextDecoder().decode(answer.body)) ? answer : bend(question, answer);
}
