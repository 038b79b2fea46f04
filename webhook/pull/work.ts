import type { Credential } from '../credentials/credential.ts';
import type { Endpoint } from '../node/endpoint.ts';
import type { Finding } from '../outcome/finding.ts';
import type { Identity } from '../outcome/outcome.ts';
import { createRegistryClient, type RegistryClient } from '../registry/client.ts';
import type { ReplyShare } from '../registry/reply-room.ts';
import type { ClientStyle } from '../registry/token.ts';
import type { Course } from './course.ts';
import { createEndpointAnswers, type EndpointAnswers } from './endpoint-answers.ts';
import { askForeignUrls, passOver, type ForeignLayers } from './foreign-layers.ts';
import type { PredictorOptions, PullQuestion } from './predict.ts';
import { createTagLists, type TagLists } from './tag-list.ts';
import { traitsOf } from './traits-of.ts';

/** One prediction while it is made: its clients, which remember what was asked, and what it came across. */
export type Work = {
  readonly options: PredictorOptions;
  readonly question: PullQuestion;
  /** What the kubelet would try in turn; `undefined` is the anonymous pull. */
  readonly logins: readonly (Credential | undefined)[];
  /** Some logins are left out: whatever the others meet is no proof. */
  readonly isPartial: boolean;
  readonly clientFor: (endpoint: Endpoint, login: Credential | undefined, style: ClientStyle) => RegistryClient;
  readonly clients: () => readonly RegistryClient[];
  readonly foreignLayers: ForeignLayers;
  readonly tagLists: TagLists;
  readonly endpointAnswers: EndpointAnswers;
  /** Where requests are written down from now on. */
  readonly follow: (course: Course) => void;
  readonly requests: () => number;
  readonly addFinding: (finding: Finding) => void;
  readonly findings: () => readonly Finding[];
};

/** The kubelet would go through all; a Pod with more logins for one image than that is a mistake or an attack. */
const MAX_CREDENTIALS = 4;

export type WorkStart = {
  readonly question: PullQuestion;
  readonly start: Course;
  readonly room: ReplyShare | undefined;
};

export function startWork(options: PredictorOptions, { question, start, room }: WorkStart): Work {
  const clients = new Map<string, RegistryClient>();
  const findings = new Map<string, Finding>();
  const { logins, isPartial } = loginsOf(question.credentials);
  let course = start;
  let requests = 0;
  const countRequest = (): void => {
    requests += 1;
  };
  const note: Course['note'] = (text, command) => course.note(text, command);
  const { transport, budget, realms, now, addressesOf } = options;
  // one for all, so that those who ask alike are answered from the same requests
  const offersRsaKeyExchange = options.node.runtimes.some((runtime) => traitsOf(runtime).offersRsaKeyExchange);
  return {
    options,
    question,
    logins,
    isPartial,
    clientFor: (asPlanned, login, style) => {
      const endpoint = { ...asPlanned, tls: { ...asPlanned.tls, offersRsaKeyExchange } };
      const key = `${logins.indexOf(login)} ${style} ${JSON.stringify(endpoint)}`;
      const known = clients.get(key);
      if (known !== undefined) return known;
      const asked = askedAs(endpoint, login);
      const client = createRegistryClient({
        transport,
        endpoint,
        ...asked,
        style,
        budget,
        room,
        realms,
        countRequest,
        note,
        addressesOf,
        now,
      });
      clients.set(key, client);
      return client;
    },
    clients: () => [...clients.values()],
    foreignLayers: options.asksForeignUrls ? askForeignUrls(transport, countRequest, addressesOf) : passOver,
    tagLists: createTagLists(),
    endpointAnswers: createEndpointAnswers(),
    follow: (next) => {
      course = next;
    },
    requests: () => requests,
    addFinding: (finding) => findings.set(JSON.stringify(finding), finding),
    findings: () => [...findings.values()],
  };
}

/** The kubelet tries the same login again where two secrets hold it; what it met it would meet again. */
function loginsOf(credentials: readonly Credential[]): Pick<Work, 'logins' | 'isPartial'> {
  const distinct = credentials.filter(
    (one, at) =>
      at === credentials.findIndex(({ username, password }) => username === one.username && password === one.password),
  );
  const logins = distinct.length === 0 ? [undefined] : distinct.slice(0, MAX_CREDENTIALS);
  return { logins, isPartial: distinct.length > MAX_CREDENTIALS };
}

/** An entry without a username is an anonymous pull (pull-parity C9). */
function askedAs(
  endpoint: Endpoint,
  login: Credential | undefined,
): { readonly login: Pick<Credential, 'username' | 'password'> | undefined; readonly identity: Identity } {
  if (!endpoint.takesCredentials || login === undefined || login.username === '') {
    return { login: undefined, identity: { by: 'anonymous' } };
  }
  const { username, password, secret, key } = login;
  return { login: { username, password }, identity: { by: 'pull-secret', secret, key } };
}
