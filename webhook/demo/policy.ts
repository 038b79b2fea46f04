/** The policy of the demo, as it would stand in the ConfigMap. See `fillIn` for what is filled in. */
export const POLICY_TEXT = `# What Pullguard is told of the nodes. Whatever is not written here, these nodes do not have.
apiVersion: pullguard.io/v1
kind: PullPolicy
mode: enforce
nodes:
  runtime: containerd@2.1/transfer
  settings: complete
  credentialProviders: none
  platforms:
    list: [linux/amd64]
    exhaustive: true
  throughput:
    hosts:
      slow.test:PORT: 20MB/s
  containerd:
    # The files of /etc/containerd/certs.d on every node.
    certsD:
      intranet.test:PORT/hosts.toml: |
        server = "http://intranet.test:PORT"
        [host]
      corp.test:PORT/ca.crt: &ca |
        CA CERTIFICATE
      alias.test:PORT/ca.crt: *ca
      expired.test:PORT/ca.crt: *ca
      mutual.test:PORT/ca.crt: *ca
      private.test:PORT/ca.crt: *ca
      basic.test:PORT/ca.crt: *ca
      slow.test:PORT/ca.crt: *ca
      busy.test:PORT/ca.crt: *ca
`;
