"""What sections of a template are made of: strict models, validators, problems with their place, sandboxed Jinja."""
