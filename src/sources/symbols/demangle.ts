import { demangleItanium } from './demangle-itanium.js';
import { demangleRustLegacy } from './demangle-rust-legacy.js';
import { demangleRustV0 } from './demangle-rust-v0.js';

/**
 * A symbol as its source has it, C++ or Rust; others stay as they are, without the version behind `@`. As in jeprof and pprof, C++ functions come
 * without parameters and template arguments, so that what a template made counts together; `full` is c++filt's form.
 */
export function demangle(symbol: string, options: { readonly full?: boolean } = {}): string {
  const version = symbol.indexOf('@', 1);
  const bare = version < 0 ? symbol : symbol.slice(0, version);
  return demangleRustLegacy(bare) ?? demangleRustV0(bare) ?? demangleItanium(bare, options.full ?? false) ?? bare;
}
