"""What a field must be beyond its schema: text that a parser reads, or that an external command accepts."""
