import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createGuard, type GuardOptions } from '../../webhook/registry/guard.ts';

const CLUSTER: GuardOptions = {
  allow: [],
  blockedRanges: ['10.96.0.0/12', '10.244.0.0/16', 'fd12:3456::/48'],
  blockedEndpoints: ['192.168.7.1:6443', '[FD99::1]:6443', 'fd99::2:6443'],
};
const guard = createGuard(CLUSTER);
const mayDial = (address: string, port = 443, host = 'reg.test'): boolean => guard({ host, port, address });

const hex = (high: number, low: number): string => (high * 256 + low).toString(16);

describe('what serve may dial', () => {
  const blocked: Readonly<Record<string, readonly string[]>> = {
    loopback: ['127.0.0.1', '127.255.255.254', '::1'],
    'link-local': ['169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
    'cloud metadata': ['169.254.169.254', '169.254.170.2', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
    'cloud metadata on IPv6': [
      'fd00:ec2::254',
      'fd00:ec2::23',
      'fd20:ce::254',
      'fd00:c1::a9fe:a9fe',
      'fd00:42::42',
      'fd00:100::100:200',
    ],
    unspecified: ['0.0.0.0', '0.1.2.3', '::'],
    'multicast, broadcast and reserved': ['224.0.0.1', '239.255.255.250', '255.255.255.255', '240.0.0.1', 'ff02::1'],
    documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1'],
    'benchmarking and site-local': ['198.18.0.1', 'fec0::1'],
    Services: ['10.96.0.1', '10.111.255.255', 'fd12:3456::5'],
    Pods: ['10.244.3.7'],
    'mapped IPv4': ['::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '::ffff:10.96.0.1'],
    'compatible IPv4': ['::a9fe:a9fe', '::7f00:1', '::10.96.0.1'],
    'translated IPv4': ['::ffff:0:a9fe:a9fe'],
    NAT64: [
      '64:ff9b::a9fe:a9fe',
      '64:ff9b::7f00:1',
      '64:ff9b::a60:1',
      '64:ff9b:1::a9fe:a9fe',
      '64:ff9b:1:a9fe:a9:fe00::',
      // what stands after the embedded address is not looked at
      '64:ff9b:1:a9fe:a9:fe00:808:808',
    ],
    'what nobody was given': ['::2', '64:ff9b:2::808:808', '100::1', '4000::1', '5f00::1', '0:0:0:1::1'],
    '6to4': ['2002:a9fe:a9fe::', '2002:7f00:1::1', '2002:a60:1::'],
    Teredo: ['2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    'what is no address': ['', 'reg.test', '1.2.3', '0x7f.1', '2130706433', '::g'],
  };
  for (const [kind, addresses] of Object.entries(blocked)) {
    it(`refuses ${kind}`, () =>
      assert.deepEqual(
        addresses.filter((one) => mayDial(one)),
        [],
      ));
  }

  it('dials public and private addresses, also those written inside IPv6', () => {
    const open = ['8.8.8.8', '10.1.2.3', '172.16.0.9', '192.168.0.5', '100.64.0.1', '2606:4700::1111', 'fd00::5'];
    const inside = ['::ffff:8.8.8.8', '64:ff9b::808:808', '2002:808:808::1'];

    assert.deepEqual(
      [...open, ...inside].filter((one) => !mayDial(one)),
      [],
    );
  });

  it('refuses the API server on its port alone, however its address is spelled', () => {
    const asked = [
      ['192.168.7.1', 6443],
      ['::ffff:192.168.7.1', 6443],
      ['fd99:0:0::1', 6443],
      ['fd99::2', 6443],
      ['192.168.7.1', 5000],
      ['fd99::1', 5000],
    ] as const;

    assert.deepEqual(
      asked.map(([address, port]) => mayDial(address, port)),
      [false, false, false, false, true, true],
    );
  });

  it('lets a host and port that the policy names pass whatever their address, and no other', () => {
    const allowing = createGuard({
      ...CLUSTER,
      allow: ['registry.kube-system.svc:5000', '[::1]:5000', '127.0.0.1:5000'],
    });
    const asked = [
      ['registry.kube-system.svc', 5000, '10.96.0.7'],
      ['Registry.Kube-System.SVC', 5000, '10.96.0.7'],
      ['registry.kube-system.svc', 5001, '10.96.0.7'],
      ['other.kube-system.svc', 5000, '10.96.0.7'],
      ['registry.kube-system.svc.evil.test', 5000, '10.96.0.7'],
      ['[::1]', 5000, '::1'],
      ['127.0.0.1', 5000, '127.0.0.1'],
      ['evil.test', 5000, '127.0.0.1'],
    ] as const;

    assert.deepEqual(
      asked.map(([host, port, address]) => allowing({ host, port, address })),
      [true, true, false, false, false, true, true, false],
    );
  });

  it('judges an IPv4 address alike in every form that carries it', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(fc.integer({ min: 1, max: 255 }), octet, octet, octet), ([a, b, c, d]) => {
        const isOpen = mayDial(`${a}.${b}.${c}.${d}`);
        const words = `${hex(a, b)}:${hex(c, d)}`;
        for (const form of [`::ffff:${words}`, `::${words}`, `64:ff9b::${words}`, `2002:${words}::1`]) {
          assert.equal(mayDial(form), isOpen, form);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never throws, whatever it is asked', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.nat(99_999),
        (host, address, port) => void guard({ host, port, address }),
      ),
    );
  });
});
