// Preloaded by bindings.py into the jsii kernel's Node.
"use strict";

const fs = require("fs");
const path = require("path");
const { Writable } = require("stream");
const { isMainThread } = require("worker_threads");

// The provider's entry point requires its 1,527 modules, one line each; a program uses some fifty. Each of these lines
// becomes a getter. An entry point with a line of any other kind is loaded as it is.
const REQUIRE = /^exports\.(\w+) = require\("(\.\/[\w-]+)"\);$/;
const PROLOGUE =
  /^("use strict";|\/\*\*| \*.*|\/\/.*|Object\.defineProperty\(exports, "__esModule", \{ value: true \}\);|(exports\.\w+ = )+void 0;|)$/;

function loadOnDemand(module, filename) {
  const lines = fs.readFileSync(filename, "utf8").split("\n");
  if (!lines.every((line) => REQUIRE.test(line) || PROLOGUE.test(line))) return load(module, filename);
  Object.defineProperty(module.exports, "__esModule", { value: true });
  for (const line of lines) {
    const [, name, target] = REQUIRE.exec(line) ?? [];
    if (name) Object.defineProperty(module.exports, name, { enumerable: true, get: () => module.require(target) });
  }
}

// cdktf requires archiver, and with it 60 modules, for assets that are zipped; a program without one never calls it.
function loadAtFirstUse(module, filename) {
  let loaded;
  const archiver = () => (loaded ??= (load(module, filename), module.exports));
  module.exports = new Proxy(function () {}, {
    get: (_, key) => archiver()[key],
    apply: (_, self, args) => Reflect.apply(archiver(), self, args),
  });
}

// Each of cdktf's tokens keeps the stack that made it, for an error message. Seen from Python the frames are the same
// ones for every token: the kernel's.
function withoutCreationStacks(module) {
  module.exports.captureStackTrace = () => [];
}

// jsii's runtime starts its program, the kernel, in a second Node, whose file descriptor 3 it connects with its own
// input and output, and whose output it wraps into lines of JSON on stderr. Every call passes both. Here the program
// runs in the first Node, and the same is done without the detour.
function runProgram(module, runtime) {
  const { readSync, writeSync } = fs;
  fs.readSync = (fd, ...rest) => readSync(fd === 3 ? 0 : fd, ...rest);
  fs.writeSync = (fd, ...rest) => writeSync(fd === 3 ? 1 : fd, ...rest);
  for (const name of ["stdout", "stderr"]) {
    const write = (chunk, _encoding, done) => {
      writeSync(2, `${JSON.stringify({ [name]: chunk.toString("base64") })}\n`);
      done();
    };
    Object.defineProperty(process, name, { value: new Writable({ write }) });
  }
  // The runtime gives the program this option. It has effect through NODE_OPTIONS, but is looked for here.
  process.execArgv.push("--preserve-symlinks");
  // The program ends itself with process.exit, and with it the worker that writes a package's index (of 88 MB of type
  // information, for the provider). A program faster than the worker would have no index, ever. So it ends when nothing
  // is left to do.
  process.exit = (code) => {
    process.exitCode = code;
  };
  // cdktf's TerraformOutput calls this, for which Node 24 prints a deprecation note when an output is a list.
  require("util").isArray = Array.isArray;
  load(module, path.join(path.dirname(runtime), "..", "lib", "program.js"));
}

const load = require.extensions[".js"];

// How a file is loaded that is not loaded as Node does it.
const LOADERS = [
  [/[\\/]jsii-runtime\.js$/, runProgram],
  [/[\\/]provider-azurerm[\\/](.+[\\/])?lib[\\/]index\.js$/, loadOnDemand],
  [/[\\/]cdktf[\\/]node_modules[\\/]archiver[\\/]index\.js$/, loadAtFirstUse],
  [/[\\/]cdktf[\\/]lib[\\/]tokens[\\/]private[\\/]stack-trace\.js$/, withoutCreationStacks],
];

if (isMainThread) {
  require.extensions[".js"] = (module, filename) => {
    const [, loader] = LOADERS.find(([pattern]) => pattern.test(filename)) ?? [, load];
    return loader(module, filename);
  };
}
