/** What the demo asks of the server's process. */
export interface ReporterQuestion {
  readonly kind: 'ask';
  readonly id: number;
  /** A full garbage collection first. */
  readonly collect: boolean;
}

/** What it answers. */
export interface ReporterAnswer {
  readonly kind: 'answer';
  readonly id: number;
  readonly residentBytes: number;
  readonly heapTotalBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly processorSeconds: number;
  /** Without the addon nobody can ask jemalloc from inside. */
  readonly addon: 'loaded' | 'missing';
  readonly jemalloc?: { readonly version: string; readonly serves: boolean };
}

/** The server's first message. */
export interface ServerReady {
  readonly kind: 'ready';
  readonly address: string | number;
}
