/** What scripts/bundle-flame-graph.mjs makes of the folder `client`, with the hashes (SHA-256, base64) that the page's policy names. */
export declare const CLIENT: {
  readonly script: string;
  readonly scriptHash: string;
  readonly styles: string;
  readonly stylesHash: string;
};
