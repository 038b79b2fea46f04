/** One login as the kubelet hands it to the runtime (pull-parity C11). The only place where a password stands. */
export type Credential = {
  readonly username: string;
  readonly password: string;
  /** The pull secret's name and the key of its entry that matched: for messages. */
  readonly secret: string;
  readonly key: string;
};

/** A Secret as the API gives it, values decoded from base64. */
export type PullSecret = {
  readonly name: string;
  readonly namespace: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
};
