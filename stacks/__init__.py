"""One stack an environment, and the shared one."""
