"""Synthesizes all stacks, or one: `python -m tools.synth [STACK]`."""
