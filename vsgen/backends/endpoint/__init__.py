"""Models behind a URL: what is said to a server (`wire` and the wires), and how a request gets there and back."""
