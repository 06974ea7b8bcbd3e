"""The platform's constructs, one capability per file: network, database, web app, alerts and so on.

An entry point calls `bindings.install()` before it imports a module of this package. Importing a construct has no side
effect. Without that call `cdktf` loads more slowly, and runs on the `node` of the PATH.
"""
