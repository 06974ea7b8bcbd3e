// Compares queries with the tables that they read, by Microsoft's own parser of the Kusto Query Language.
//
//     node parse.js FOLDER_OF_THE_PARSER < {"tables": {TABLE: {COLUMN: TYPE}}, "queries": [TEXT]}
//
// prints, for each query, its faults as [position, code, message]. The parser is a .NET library that Bridge.NET has
// translated into JavaScript, so its objects are global: https://www.npmjs.com/package/@kusto/language-service-next.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const parser = path.resolve(process.argv[2]);
require(path.join(parser, "bridge.js"));
require(path.join(parser, "Kusto.Language.Bridge.js"));

const { GlobalState, KustoCode, Symbols } = Kusto.Language;
const { tables, queries } = JSON.parse(fs.readFileSync(0, "utf-8"));

const symbols = Object.entries(tables).map(([name, columns]) => {
  const described = Object.entries(columns).map(([column, type]) => `${column}: ${type}`);
  return new Symbols.TableSymbol.$ctor7(name, `(${described.join(", ")})`, "");
});
const database = new Symbols.DatabaseSymbol.$ctor1("workspace", symbols, false);
const globals = GlobalState.Default.WithDatabase(database);

const faults = queries.map((query) => {
  const diagnostics = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  return Array.from({ length: diagnostics.Count }, (_, index) => diagnostics.getItem(index))
    .filter((diagnostic) => diagnostic.Severity !== "Suggestion")
    .map((diagnostic) => [diagnostic.Start, diagnostic.Code, diagnostic.Message]);
});
process.stdout.write(JSON.stringify(faults));
