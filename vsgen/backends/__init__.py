"""Adapters to the libraries that compute: the only rooms, beside the embedded model's trainer, that import torch."""

import os

# Torch's worker threads spin while they wait for each other. On a machine that others use as well, each wait then lasts
# until the kernel gives the core back: measured here, 8 replies took minutes instead of 1.5 s. It is read once, when
# torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
