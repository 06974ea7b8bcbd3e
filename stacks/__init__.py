"""The stacks: one per environment, and the shared one."""
