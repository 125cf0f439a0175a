/** Keeps what was used last, up to a number of bytes and for a time. */
export class Cache {
  #entries = new Map();
  #bytes = 0;
  #maximumBytes;
  #lifetimeMs;

  constructor({ maximumBytes, lifetimeMs }) {
    this.#maximumBytes = maximumBytes;
    this.#lifetimeMs = lifetimeMs;
    setInterval(() => this.#dropOld(), 1000).unref();
  }

  get(key) {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key, value) {
    this.#drop(key);
    this.#entries.set(key, { value, since: Date.now() });
    this.#bytes += value.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maximumBytes) break;
      this.#drop(oldest);
    }
  }

  get bytes() {
    return this.#bytes;
  }

  #drop(key) {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.value.length;
  }

  #dropOld() {
    const limit = Date.now() - this.#lifetimeMs;
    for (const [key, entry] of this.#entries) if (entry.since < limit) this.#drop(key);
  }
}
