"""Reading replies: what a model wrote becomes items; nothing is invented, nothing raises, nothing takes long."""
