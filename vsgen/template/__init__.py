"""The YAML task template: its schema, its errors with line numbers, and its sandboxed rendering."""
