"""What is read and written: rows in, records out, the journal."""
