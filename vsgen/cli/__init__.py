"""The command line: one module a command, options declared once."""
