export declare function bundleFlameGraphClient(): Promise<string>;

export declare function flameGraphClient(): {
  name: string;
  enforce: 'pre';
  resolveId(source: string, importer: string | undefined): string | undefined;
  load(id: string): Promise<string> | undefined;
};
