// Preloaded by bindings.py into the two Node processes of the jsii kernel.
"use strict";

// cdktf's TerraformOutput calls util.isArray, for which Node 24 prints a deprecation note when an output is a list.
require("util").isArray = Array.isArray;

// The kernel ends itself with process.exit, and with it the worker that writes a package's index (of 88 MB of type
// information, for the provider). A program that is faster than the worker would start without the index every time.
// So the kernel ends when nothing is left to do. Its parent process, jsii-runtime.js, is not concerned.
if (process.argv[1]?.endsWith("program.js") && require("worker_threads").isMainThread) {
  process.exit = (code) => {
    process.exitCode = code;
  };
}

// The provider's entry point requires its 1,527 modules, one line each; a program uses some fifty. Each of these lines
// becomes a getter. An entry point with a line of any other kind is loaded as it is.
const ENTRY_POINT = /[\\/]provider-azurerm[\\/](.+[\\/])?lib[\\/]index\.js$/;
const REQUIRE = /^exports\.(\w+) = require\("(\.\/[\w-]+)"\);$/;
const PROLOGUE =
  /^("use strict";|\/\*\*| \*.*|\/\/.*|Object\.defineProperty\(exports, "__esModule", \{ value: true \}\);|(exports\.\w+ = )+void 0;|)$/;

const load = require.extensions[".js"];

require.extensions[".js"] = (module, filename) => {
  if (!ENTRY_POINT.test(filename)) return load(module, filename);
  require.extensions[".js"] = load;
  const lines = require("fs").readFileSync(filename, "utf8").split("\n");
  if (!lines.every((line) => REQUIRE.test(line) || PROLOGUE.test(line))) return load(module, filename);
  Object.defineProperty(module.exports, "__esModule", { value: true });
  for (const line of lines) {
    const [, name, path] = REQUIRE.exec(line) ?? [];
    if (name) Object.defineProperty(module.exports, name, { enumerable: true, get: () => module.require(path) });
  }
};
