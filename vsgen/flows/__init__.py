"""The way of one row: what is asked about it, what is valid, new and wanted, and what each candidate ends as."""
