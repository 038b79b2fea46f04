import { ok, type Result } from '../image/result.ts';
import type { Identity, PullOutcome } from '../outcome/outcome.ts';
import type { Answer, Ask } from './answer.ts';
import type { Budget } from './budget.ts';
import { createConversation } from './conversation.ts';
import type { RegistryEndpoint } from './endpoint.ts';
import { createExchange } from './exchange.ts';
import { createLogIn } from './login.ts';
import { createMemo } from './memo.ts';
import type { RealmRules } from './realm.ts';
import type { ReplyShare } from './reply-room.ts';
import { createSender, type Note } from './sender.ts';
import type { ClientStyle, Login } from './token.ts';
import type { SendRequest, Transport, WireReply } from './wire.ts';

// what a client is asked and answers
export { retryAfterOf, type Answer, type Ask } from './answer.ts';
export type { RegistryEndpoint, Resource } from './endpoint.ts';

export type RegistryClient = {
  readonly endpoint: RegistryEndpoint;
  readonly identity: Identity;
  /** Answers, or the outcome that ended the attempt: no answer, or no way to log in. */
  readonly ask: (ask: Ask, signal: AbortSignal) => Promise<Result<Answer, PullOutcome>>;
  /**
   * The body as it comes, for reading layers whole: `maxBytes` does not count, and nobody's memory serves. A good
   * answer's reply is to be streamed or dropped; a refusal's body is read already.
   */
  readonly open: (
    ask: Ask,
    signal: AbortSignal,
  ) => Promise<Result<{ readonly answer: Answer; readonly reply: WireReply }, PullOutcome>>;
};

export type ClientOptions = {
  readonly transport: Pick<Transport, 'send'>;
  readonly endpoint: RegistryEndpoint;
  readonly login: Login;
  readonly identity: Identity;
  readonly style: ClientStyle;
  readonly budget: Budget;
  /** For long answers; without it they are read as they come. */
  readonly room?: ReplyShare | undefined;
  readonly realms: RealmRules;
  readonly countRequest: () => void;
  readonly note: Note;
  /** The addresses that a user gave a name, for the commands that repeat a request; by default none. */
  readonly addressesOf?: (name: string) => readonly string[];
  readonly now: () => number;
};

/**
 * Talks to one endpoint as one identity, in one runtime's manner, and remembers: no request is sent twice, the login is
 * found once. Credentials go to the endpoint itself and to the realm that it names, nowhere else (design, rule 6).
 */
export function createRegistryClient(options: ClientOptions): RegistryClient {
  const { endpoint, identity, style, note, room } = options;
  const { addressesOf = () => [] } = options;
  const facts = { endpoint, identity, addressesOf };
  const sendRequest: SendRequest =
    room === undefined
      ? options.transport.send
      : (request, signal) => options.transport.send({ ...request, room }, signal);
  const send = createSender({ ...options, send: sendRequest, facts });
  const exchange = createExchange({ endpoint, identity, style, send, note });
  const logIn = createLogIn({ ...options, send, scheme: exchange.scheme });
  const converse = createConversation({ exchange, logIn, style, identity, now: options.now });
  const memo = createMemo();
  return {
    endpoint,
    identity,
    ask: (ask, signal) =>
      memo.get(ask, async () => {
        const { maxBytes } = ask;
        const got = await converse(ask, maxBytes > 0 ? { kind: 'read', maxBytes } : { kind: 'drop' }, signal);
        return got.ok ? ok(got.value.answer) : got;
      }),
    open: (ask, signal) => converse(ask, { kind: 'stream' }, signal),
  };
}
