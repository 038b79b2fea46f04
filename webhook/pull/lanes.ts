/** Whose lookup it is, and which registry it waits for. */
export type Lane = { readonly namespace: string; readonly host: string };

/** Keeps what one namespace asks from holding up what others ask, and one registry from holding up the rest. */
export interface Lanes {
  /**
   * Resolves when it is this one's turn, with what gives the place back; with `undefined` where it is not wanted any
   * more by then.
   */
  enter(lane: Lane, isWanted: () => boolean): Promise<Leave | undefined>;
}

export type Leave = () => void;

/** How many may run at a time. */
export type LaneLimits = { readonly ofNamespace: number; readonly ofHost: number };

type Waiter = { readonly isWanted: () => boolean; readonly admit: (leave: Leave | undefined) => void };
type HostLane = { running: number; readonly waiting: Waiter[] };
type NamespaceLane = { running: number; readonly hosts: Map<string, HostLane> };

/** Within a namespace the registries take turns, each with places of its own. */
export function createLanes(limits: LaneLimits): Lanes {
  const namespaces = new Map<string, NamespaceLane>();

  /** The next host that has somebody waiting and a place left. Who was served goes to the end. */
  const nextHost = ({ hosts }: NamespaceLane): [string, HostLane] | undefined =>
    [...hosts].find(([, { running, waiting }]) => waiting.length > 0 && running < limits.ofHost);

  const admit = (name: string, lane: NamespaceLane): void => {
    while (lane.running < limits.ofNamespace) {
      const [host, own] = nextHost(lane) ?? [];
      if (host === undefined || own === undefined) return;
      lane.hosts.delete(host);
      lane.hosts.set(host, own);
      const waiter = own.waiting.shift();
      if (waiter?.isWanted() !== true) {
        waiter?.admit(undefined);
        forget(name, lane, host);
        continue;
      }
      lane.running += 1;
      own.running += 1;
      waiter.admit(() => {
        lane.running -= 1;
        own.running -= 1;
        forget(name, lane, host);
        admit(name, lane);
      });
    }
  };
  const forget = (name: string, lane: NamespaceLane, host: string): void => {
    const own = lane.hosts.get(host);
    if (own?.running === 0 && own.waiting.length === 0) lane.hosts.delete(host);
    if (lane.hosts.size === 0) namespaces.delete(name);
  };

  return {
    enter: ({ namespace, host }, isWanted) => {
      const { promise, resolve } = Promise.withResolvers<Leave | undefined>();
      const lane = namespaces.get(namespace) ?? { running: 0, hosts: new Map<string, HostLane>() };
      const own = lane.hosts.get(host) ?? { running: 0, waiting: [] };
      namespaces.set(namespace, lane);
      lane.hosts.set(host, own);
      own.waiting.push({ isWanted, admit: resolve });
      admit(namespace, lane);
      return promise;
    },
  };
}
