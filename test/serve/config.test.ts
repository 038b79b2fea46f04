import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readConfig, readSettings, SERVE_FLAGS, type Config, type ServeFlags } from '../../webhook/config.ts';

type Environment = Readonly<Record<string, string>>;

function configOf(flags: ServeFlags, environment: Environment = {}): Config {
  const config = readConfig(readSettings(flags, environment));
  assert.ok(config.ok, config.ok ? '' : config.error.join('\n'));
  return config.value;
}

function mistakesOf(flags: ServeFlags, environment: Environment = {}): readonly string[] {
  const config = readConfig(readSettings(flags, environment));
  return config.ok ? [] : config.error;
}

describe('the configuration of serve', () => {
  it('is that of a cluster where nothing is said', () => {
    const config = configOf({});

    assert.deepEqual(config, {
      listen: { host: '0.0.0.0', port: 8443 },
      adminListen: { host: '0.0.0.0', port: 8080 },
      tlsFiles: undefined,
      policy: { from: 'defaults' },
      kube: { kubeconfig: undefined, namespace: undefined },
      service: 'pullguard',
      tlsSecret: 'pullguard-tls',
      webhookConfiguration: 'pullguard',
      hosts: new Map(),
      logLevel: 'info',
      lingerMs: 5_000,
    });
    assert.ok(Object.isFrozen(config));
  });

  it('takes each option from its environment variable too, the option first, an empty variable as none', () => {
    const environment = { PULLGUARD_LISTEN: '[::1]:1', PULLGUARD_LOG_LEVEL: 'debug', PULLGUARD_SERVICE: '' };

    const config = configOf({ logLevel: 'warn' }, environment);

    assert.deepEqual(config.listen, { host: '::1', port: 1 });
    assert.deepEqual([config.logLevel, config.service], ['warn', 'pullguard']);
  });

  it('has a variable for each option, called alike', () => {
    for (const { name, flag, variable } of SERVE_FLAGS) {
      const words = flag.slice(2);
      assert.equal(variable, `PULLGUARD_${words.toUpperCase().replaceAll('-', '_')}`);
      assert.equal(
        name,
        words.replace(/-(?<letter>[a-z])/gu, (_match, letter: string) => letter.toUpperCase()),
      );
    }
  });

  it('is not misled by the variables that Kubernetes sets for a Service called pullguard', () => {
    const environment = { PULLGUARD_PORT: 'tcp://10.0.0.1:443', PULLGUARD_SERVICE_HOST: '10.0.0.1' };

    assert.deepEqual(configOf({}, environment), configOf({}));
  });

  it('reads what can be written in more than one way', () => {
    const config = configOf({
      noKube: 'true',
      tlsCert: 'a',
      tlsKey: 'b',
      policy: 'policy.yaml',
      addHost: 'reg:10.0.0.7, six:[::1]',
      linger: '1m',
    });

    assert.deepEqual([config.kube, config.tlsFiles], [undefined, { cert: 'a', key: 'b' }]);
    assert.deepEqual(config.policy, { from: 'file', file: 'policy.yaml' });
    assert.deepEqual([...config.hosts.keys()], ['reg', 'six']);
    assert.deepEqual([config.lingerMs, configOf({ linger: '0' }).lingerMs], [60_000, 0]);
    assert.deepEqual(configOf({ policyConfigmap: 'a/b' }).policy, { from: 'config-map', namespace: 'a', name: 'b' });
  });

  const mistaken: readonly (readonly [flags: ServeFlags, environment: Environment, ...lines: readonly string[]])[] = [
    [{ listen: '8443' }, {}, '--listen "8443": expected HOST:PORT, for example 0.0.0.0:8443 or [::]:8443'],
    [
      {},
      { PULLGUARD_ADMIN_LISTEN: '[x]:80' },
      'PULLGUARD_ADMIN_LISTEN "[x]:80": expected HOST:PORT, for example 0.0.0.0:8443 or [::]:8443',
    ],
    [{ listen: 'a:70000' }, {}, '--listen "a:70000": expected HOST:PORT, for example 0.0.0.0:8443 or [::]:8443'],
    [{ tlsCert: 'a' }, {}, '--tls-cert: a certificate and its key belong together, add --tls-key'],
    [{}, { PULLGUARD_TLS_KEY: 'a' }, 'PULLGUARD_TLS_KEY: a certificate and its key belong together, add --tls-cert'],
    [{ noKube: 'true' }, {}, '--no-kube: no cluster keeps a certificate then, add --tls-cert and --tls-key'],
    [
      { noKube: 'true', tlsCert: 'a', tlsKey: 'b', kubeconfig: 'c' },
      { PULLGUARD_POLICY_CONFIGMAP: 'a/b' },
      'PULLGUARD_POLICY_CONFIGMAP and --no-kube: the one needs a cluster, the other forbids it',
      '--kubeconfig and --no-kube: the one needs a cluster, the other forbids it',
    ],
    [{}, { PULLGUARD_NO_KUBE: 'yes' }, 'PULLGUARD_NO_KUBE "yes": expected true or false'],
    [
      { policy: 'a' },
      { PULLGUARD_POLICY_CONFIGMAP: 'a/b' },
      '--policy and PULLGUARD_POLICY_CONFIGMAP: there is one policy, keep one of them',
    ],
    [{ policyConfigmap: 'pullguard' }, {}, '--policy-configmap "pullguard": expected NAMESPACE/NAME'],
    [{ policyConfigmap: '../a/b' }, {}, '--policy-configmap "../a/b": expected NAMESPACE/NAME'],
    [{ service: 'Pull Guard' }, {}, '--service "Pull Guard": expected the name of an object in Kubernetes'],
    [
      { addHost: 'a,b:1.2.3.4' },
      {},
      '--add-host "a": expected NAME:IP, for example reg.example:10.0.0.7 or reg.example:[fd00::7]',
    ],
    [{ logLevel: 'loud' }, {}, '--log-level "loud": expected debug, info, warn or error'],
    [{ linger: '5000' }, {}, '--linger "5000": expected a duration from 0s to 60s'],
    [{ linger: '2m' }, {}, '--linger "2m": expected a duration from 0s to 60s'],
  ];
  for (const [flags, environment, ...lines] of mistaken) {
    it(`names a mistake: ${lines[0]}`, () => {
      assert.deepEqual(mistakesOf(flags, environment), lines);
    });
  }

  it('reports every mistake at once, and shows no line break of theirs', () => {
    const found = mistakesOf({ listen: 'a\nb', logLevel: 'x' }, { PULLGUARD_LINGER: 'y', PULLGUARD_TLS_CERT: 'z' });

    assert.equal(found.length, 4);
    for (const line of found) assert.match(line, /^[ -~]+$/u);
  });
});
