/** Calls listeners. A listener that fails is reported once, as a warning of the process, and disturbs nobody else. */
export interface EventSource<Events extends object> {
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): void;
  once<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): void;
  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): void;
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void;
  /** Of one event, or of all. */
  count(name?: keyof Events): number;
  clear(): void;
}

/** A listener by its own function, whatever is called in its place. */
interface Registration {
  readonly listener: (event: never) => unknown;
  readonly once: boolean;
}

/** Opens a source of events; `report` is told of what a listener threw or rejected with. */
export function openEventSource<Events extends object>(
  report: (name: keyof Events, error: unknown) => void,
): EventSource<Events> {
  const registered = new Map<keyof Events, readonly Registration[]>();
  const reported = new WeakSet<object>();
  const of = (name: keyof Events) => registered.get(name) ?? [];
  const fail = (name: keyof Events, { listener }: Registration, error: unknown) => {
    if (reported.has(listener)) return;
    reported.add(listener);
    report(name, error);
  };
  const add = (name: keyof Events, registration: Registration) => registered.set(name, [...of(name), registration]);
  const remove = (name: keyof Events, registration: Registration | undefined) =>
    registered.set(
      name,
      of(name).filter((other) => other !== registration),
    );
  return {
    on: (name, listener) => add(name, { listener, once: false }),
    once: (name, listener) => add(name, { listener, once: true }),
    off: (name, listener) =>
      remove(
        name,
        of(name).findLast((registration) => registration.listener === listener),
      ),
    emit(name, event) {
      for (const registration of of(name)) {
        if (registration.once) remove(name, registration);
        try {
          const answer = registration.listener(event as never);
          // An async listener fails later; nobody waits for it, so its failure is caught here.
          if (answer instanceof Promise) answer.catch((error: unknown) => fail(name, registration, error));
        } catch (error) {
          fail(name, registration, error);
        }
      }
    },
    count: (name) => (name === undefined ? [...registered.values()].flat().length : of(name).length),
    clear: () => registered.clear(),
  };
}
