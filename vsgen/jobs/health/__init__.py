"""What is installed, what can run here, and what is wrong: the findings of ``vsgen doctor``."""
