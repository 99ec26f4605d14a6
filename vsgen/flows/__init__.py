"""The stations of a draw: what is valid, what is new and wanted, and what each candidate ends as."""
