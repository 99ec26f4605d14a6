"""Calls by file: requests are written for a provider's batch service, and its results are read in a later run.

Nothing here opens a connection. A call that the results cannot answer yet has its next request written (`executor`),
and the run ends; the next run reads the results (`results`) and goes on, round after round.
"""
