// Preloaded into the Node processes of the jsii kernel by bindings.py.
//
// The entry point of the provider's package requires its 1,527 modules, one line each; a program uses some fifty.
// This turns each of those lines into a getter. An entry point with any line of another kind is loaded as it is.
"use strict";

const ENTRY_POINT = /[\\/]node_modules[\\/]@(cdktf|cdktn)[\\/]provider-azurerm[\\/]lib[\\/]index\.js$/;
const EXPORT = /^exports\.(\w+) = require\("(\.\/[\w-]+)"\);$/;
const BOILERPLATE = /^("use strict";|\/\*\*| \*.*|\/\/.*|Object\.defineProperty\(exports, "__esModule", .*|(exports\.\w+ = )+void 0;|)$/;

const compile = require.extensions[".js"];

require.extensions[".js"] = (module, filename) => {
  if (!ENTRY_POINT.test(filename)) return compile(module, filename);
  require.extensions[".js"] = compile;
  const lines = require("fs").readFileSync(filename, "utf8").split("\n");
  const exported = lines.map((line) => EXPORT.exec(line)).filter(Boolean);
  if (!lines.every((line) => EXPORT.test(line) || BOILERPLATE.test(line))) return compile(module, filename);
  Object.defineProperty(module.exports, "__esModule", { value: true });
  for (const [, name, path] of exported) {
    Object.defineProperty(module.exports, name, { enumerable: true, get: () => module.require(path) });
  }
};
