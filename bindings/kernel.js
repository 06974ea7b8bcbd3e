// bindings/kernel.py has Node preload this file in the jsii kernel's process. It replaces the loading of four files.
"use strict";

const fs = require("fs");
const path = require("path");
const { Writable } = require("stream");
const { isMainThread } = require("worker_threads");

// The provider's entry point requires its 1,527 modules, one per line, and a program uses some fifty of them. Each of
// these lines becomes a getter. An entry point with a line of any other form is loaded as it is.
const REQUIRE = /^exports\.(\w+) = require\("(\.\/[\w-]+)"\);$/;
const PROLOGUE =
  /^("use strict";|\/\*\*| \*.*|\/\/.*|Object\.defineProperty\(exports, "__esModule", \{ value: true \}\);|(exports\.\w+ = )+void 0;|)$/;

function loadModulesOnDemand(module, filename) {
  const lines = fs.readFileSync(filename, "utf8").split("\n");
  if (!lines.every((line) => REQUIRE.test(line) || PROLOGUE.test(line))) return load(module, filename);
  Object.defineProperty(module.exports, "__esModule", { value: true });
  for (const line of lines) {
    const [, name, target] = REQUIRE.exec(line) ?? [];
    if (name) Object.defineProperty(module.exports, name, { enumerable: true, get: () => module.require(target) });
  }
}

// cdktf requires archiver, and 60 modules with it, for assets that are zipped. A program without such assets never calls
// it, so it is loaded at its first use.
function loadArchiverAtFirstUse(module, filename) {
  let loaded;
  const archiver = () => (loaded ??= (load(module, filename), module.exports));
  module.exports = new Proxy(function () {}, {
    get: (_, key) => archiver()[key],
    apply: (_, self, args) => Reflect.apply(archiver(), self, args),
  });
}

// Each of cdktf's tokens stores the stack trace of its creation, for an error message. For a Python program that trace
// is useless: it always holds the kernel's own frames.
function omitCreationStacks(module) {
  module.exports.captureStackTrace = () => [];
}

// jsii's runtime starts its program, the kernel, in a second Node. It connects that Node's file descriptor 3 with its own
// input and output, and wraps that Node's output into lines of JSON on stderr. So every call passes through two
// processes. Here the program runs in the first Node, and this function does what the runtime would do.
function runKernelInThisProcess(module, runtime) {
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
  // The runtime starts the program with this option. Here it has its effect through NODE_OPTIONS, but the program looks
  // for it in this list.
  process.execArgv.push("--preserve-symlinks");
  // The program ends itself with process.exit, which also ends the worker that writes a package's index (for the
  // provider, an index of 88 MB of type information). A program that is faster than the worker would never get an index.
  // So the process ends only when nothing is left to do.
  process.exit = (code) => {
    process.exitCode = code;
  };
  // cdktf's TerraformOutput calls util.isArray, and Node 24 prints a deprecation warning for it when an output is a list.
  require("util").isArray = Array.isArray;
  load(module, path.join(path.dirname(runtime), "..", "lib", "program.js"));
}

const load = require.extensions[".js"];

// The files that are not loaded as Node does it, and the function that loads each of them.
const LOADERS = [
  [/[\\/]jsii-runtime\.js$/, runKernelInThisProcess],
  [/[\\/]provider-azurerm[\\/](.+[\\/])?lib[\\/]index\.js$/, loadModulesOnDemand],
  [/[\\/]cdktf[\\/]node_modules[\\/]archiver[\\/]index\.js$/, loadArchiverAtFirstUse],
  [/[\\/]cdktf[\\/]lib[\\/]tokens[\\/]private[\\/]stack-trace\.js$/, omitCreationStacks],
];

if (isMainThread) {
  require.extensions[".js"] = (module, filename) => {
    const [, loader] = LOADERS.find(([pattern]) => pattern.test(filename)) ?? [, load];
    return loader(module, filename);
  };
}
