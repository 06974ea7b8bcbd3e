"""How long a synth takes, measured against the same program in JavaScript: `make bench`."""
